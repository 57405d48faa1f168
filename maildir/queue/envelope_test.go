package queue

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestEnvelopeIsReadAsWritten(t *testing.T) {
	t.Parallel()
	env := Envelope{
		Sender: `"a> b\"c"@example.org`, Ret: "HDRS", EnvID: "QQ+2B1", Body: "8BITMIME", UTF8: true, Auth: "<>",
		Recipients: []Recipient{
			{Address: "bob@example.net", Notify: "FAILURE,DELAY", ORcpt: "rfc822;Bob+2B@example.net"},
			{Address: `"carol c"@example.com`}, {Address: "jörg@example.com"},
		},
		Arrived: time.Unix(1767323045, 0).UTC(), Client: "mail.example.org [192.0.2.7]",
	}
	b, err := env.encode()
	if err != nil {
		t.Fatal(err)
	}
	want := `Return-Path: <"a> b\"c"@example.org> RET=HDRS ENVID=QQ+2B1 BODY=8BITMIME SMTPUTF8 AUTH=<>
Recipient: <bob@example.net> NOTIFY=FAILURE,DELAY ORCPT=rfc822;Bob+2B@example.net
Recipient: <"carol c"@example.com>
Recipient: <jörg@example.com>
Arrival-Date: Fri, 02 Jan 2026 03:04:05 +0000
Client: mail.example.org [192.0.2.7]

`
	if string(b) != want {
		t.Errorf("written as\n%s", b)
	}
	got, err := parseEnvelope(b)
	if err != nil || !reflect.DeepEqual(got, env) {
		t.Errorf("read as %+v, %v", got, err)
	}
}

// Whatever a client sends, no value can add a line, a field or a parameter.
func TestEnvelopeTakesNoControlBytes(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"a\nb", "a\rb", "a\x00b", "a\x7fb", "a\tb"} {
		for name, env := range map[string]Envelope{
			"sender":    {Sender: bad, Recipients: []Recipient{{Address: "b@c"}}},
			"recipient": {Recipients: []Recipient{{Address: bad}}},
			"quoted":    {Recipients: []Recipient{{Address: `"` + bad + `"@c`}}},
			"orcpt":     {Recipients: []Recipient{{Address: "b@c", ORcpt: bad}}},
			"notify":    {Recipients: []Recipient{{Address: "b@c", Notify: bad}}},
			"envid":     {Recipients: []Recipient{{Address: "b@c"}}, EnvID: bad},
			"auth":      {Recipients: []Recipient{{Address: "b@c"}}, Auth: bad},
			"client":    {Recipients: []Recipient{{Address: "b@c"}}, Client: bad},
		} {
			if b, err := env.encode(); err == nil {
				t.Errorf("%s %q became %q", name, bad, b)
			}
		}
	}
}

func TestEnvelopeRefusesWhatWouldNotReadBack(t *testing.T) {
	t.Parallel()
	many := make([]Recipient, MaxRecipients+1)
	for i := range many {
		many[i].Address = "b@c"
	}
	for name, env := range map[string]Envelope{
		"no recipient":            {Sender: "a@b"},
		"too many recipients":     {Recipients: many},
		"an address with a >":     {Recipients: []Recipient{{Address: "b> NOTIFY=NEVER <x"}}},
		"an address with a space": {Recipients: []Recipient{{Address: "b c@d"}}},
		"an open quote":           {Recipients: []Recipient{{Address: `"b`}}},
		"a parameter with spaces": {Recipients: []Recipient{{Address: "b@c", ORcpt: "x NOTIFY=NEVER"}}},
		"a line without end":      {Recipients: []Recipient{{Address: strings.Repeat("x", maxLine)}}},
	} {
		var bad *EnvelopeError
		if b, err := env.encode(); !errors.As(err, &bad) {
			t.Errorf("%s: %v, written as %.60q", name, err, b)
		}
	}
}

const someBlock = "Return-Path: <>\nRecipient: <b@c>\nArrival-Date: Fri, 02 Jan 2026 03:04:05 +0000\n\n"

func TestQ15_BrokenEnvelopes(t *testing.T) {
	t.Parallel()
	for name, block := range map[string]string{
		"zero length":                    "",
		"only a blank line":              "\n",
		"a message without one":          "Received: by mx\nSubject: hi\n\n",
		"no sender":                      strings.Replace(someBlock, "Return-Path: <>\n", "", 1),
		"no recipient":                   strings.Replace(someBlock, "Recipient: <b@c>\n", "", 1),
		"no date":                        strings.Replace(someBlock, "Arrival-Date: Fri, 02 Jan 2026 03:04:05 +0000\n", "", 1),
		"a date that is none":            strings.Replace(someBlock, "Jan", "Foo", 1),
		"two senders":                    "Return-Path: <a@b>\n" + someBlock,
		"two dates":                      strings.Replace(someBlock, "Arrival", "Arrival-Date: Fri, 02 Jan 2026 03:04:05 +0000\nArrival", 1),
		"recipient before sender":        "Recipient: <x@y>\n" + someBlock,
		"an empty recipient":             strings.Replace(someBlock, "<b@c>", "<>", 1),
		"a path without brackets":        strings.Replace(someBlock, "<b@c>", "b@c", 1),
		"a path without end":             strings.Replace(someBlock, "<b@c>", "<b@c", 1),
		"junk behind a path":             strings.Replace(someBlock, "<b@c>", "<b@c>x", 1),
		"an unknown parameter":           strings.Replace(someBlock, "<b@c>", "<b@c> X=1", 1),
		"a parameter twice":              strings.Replace(someBlock, "<b@c>", "<b@c> NOTIFY=NEVER NOTIFY=NEVER", 1),
		"a parameter without value":      strings.Replace(someBlock, "<b@c>", "<b@c> NOTIFY=", 1),
		"an unknown field":               "X-Field: 1\n" + someBlock,
		"a folded field":                 strings.Replace(someBlock, "Recipient: ", "Recipient:\n ", 1),
		"a carriage return":              strings.ReplaceAll(someBlock, "\n", "\r\n"),
		"a NUL":                          strings.Replace(someBlock, "b@c", "b\x00@c", 1),
		"a line of a megabyte":           strings.Replace(someBlock, "b@c", strings.Repeat("b", 1<<20), 1),
		"more recipients than the bound": strings.Replace(someBlock, "Recipient: <b@c>\n", strings.Repeat("Recipient: <b@c>\n", MaxRecipients+1), 1),
		"a million recipients":           strings.Replace(someBlock, "Recipient: <b@c>\n", strings.Repeat("Recipient: <b@c>\n", 1e6), 1),
	} {
		var bad *EnvelopeError
		if env, err := parseEnvelope([]byte(block)); !errors.As(err, &bad) {
			t.Errorf("%s: read as %+v, %v", name, env, err)
		}
	}
	if _, err := parseEnvelope([]byte(someBlock)); err != nil {
		t.Errorf("the block that all of them vary: %v", err)
	}
}

func TestNotifies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		notify string
		of     string
		want   bool
	}{
		{"", "FAILURE", true}, {"", "DELAY", true}, {"", "SUCCESS", false},
		{"NEVER", "FAILURE", false}, {"NEVER", "DELAY", false},
		{"SUCCESS,FAILURE", "FAILURE", true}, {"SUCCESS,FAILURE", "DELAY", false}, {"success", "SUCCESS", true},
	} {
		if got := (Recipient{Notify: c.notify}).Notifies(c.of); got != c.want {
			t.Errorf("NOTIFY=%s and %s: %t", c.notify, c.of, got)
		}
	}
}

func FuzzEnvelope(f *testing.F) {
	f.Add([]byte(someBlock))
	f.Add([]byte("Return-Path: <a@b> RET=HDRS ENVID=x BODY=8BITMIME SMTPUTF8 AUTH=<>\nRecipient: <\"x>\\\" y\"@c> NOTIFY=NEVER ORCPT=rfc822;x\nArrival-Date: Fri, 02 Jan 2026 03:04:05 +0000\nClient: x\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		env, err := parseEnvelope(b)
		if err != nil {
			return
		}
		again, err := env.encode()
		if err != nil {
			t.Fatalf("%q is read, but cannot be written: %v", b, err)
		}
		if end := blockEnd(again); end != len(again) {
			t.Fatalf("%q is written as %q, which ends at %d", b, again, end)
		}
		if same, err := parseEnvelope(again); err != nil || !reflect.DeepEqual(same, env) {
			t.Fatalf("%q is %+v, then %+v, %v", b, env, same, err)
		}
	})
}
