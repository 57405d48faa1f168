package queue

import (
	"bytes"
	"strings"
	"time"
)

// blockEnd is the length of the envelope block at the start of b, with its
// blank line, or -1 if it does not end there.
func blockEnd(b []byte) int {
	if i := bytes.Index(b, []byte("\n\n")); i >= 0 {
		return i + 2
	}
	return -1
}

// parseEnvelope reads an envelope block, with or without its blank line. The
// format stands above encode. Errors are *EnvelopeError.
func parseEnvelope(block []byte) (Envelope, error) {
	var p blockParser
	if len(block) > maxBlock {
		return p.env, badEnvelope("larger than %d bytes", maxBlock)
	}
	text := strings.TrimSuffix(string(block), "\n") // one copy; the fields are parts of it
	for text != "" {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		if line == "" && text == "" {
			break
		}
		if err := p.line(line); err != nil {
			return Envelope{}, err
		}
	}
	switch {
	case !p.sender:
		return Envelope{}, badEnvelope("no Return-Path")
	case len(p.env.Recipients) == 0:
		return Envelope{}, badEnvelope("no Recipient")
	case p.env.Arrived.IsZero():
		return Envelope{}, badEnvelope("no Arrival-Date")
	}
	return p.env, nil
}

type blockParser struct {
	env    Envelope
	sender bool // Return-Path was seen
}

func (p *blockParser) line(line string) error {
	if len(line) > maxLine {
		return badEnvelope("a line of %d bytes", len(line))
	}
	if i := controlByte(line); i >= 0 {
		return badEnvelope("control byte %#02x", line[i])
	}
	for _, f := range []struct {
		name string
		read func(*blockParser, string) error
	}{
		{fieldReturnPath, (*blockParser).returnPath},
		{fieldRecipient, (*blockParser).recipient},
		{fieldArrival, (*blockParser).arrival},
		{fieldClient, (*blockParser).client},
	} {
		if value, ok := strings.CutPrefix(line, f.name); ok {
			return f.read(p, value)
		}
	}
	return badEnvelope("unknown field %.40q", line)
}

func (p *blockParser) returnPath(value string) error {
	if p.sender {
		return badEnvelope("a second Return-Path")
	}
	address, params, err := cutPath(value)
	if err != nil {
		return err
	}
	p.sender, p.env.Sender = true, address
	return eachParam(params, map[string]*string{
		"RET": &p.env.Ret, "ENVID": &p.env.EnvID, "BODY": &p.env.Body, "AUTH": &p.env.Auth,
	}, &p.env.UTF8)
}

func (p *blockParser) recipient(value string) error {
	if !p.sender {
		return badEnvelope("Recipient before Return-Path")
	}
	if len(p.env.Recipients) == MaxRecipients {
		return badEnvelope("more than %d recipients", MaxRecipients)
	}
	address, params, err := cutPath(value)
	if err != nil {
		return err
	}
	if address == "" {
		return badEnvelope("an empty Recipient")
	}
	p.env.Recipients = append(p.env.Recipients, Recipient{Address: address})
	if params == "" {
		return nil
	}
	r := &p.env.Recipients[len(p.env.Recipients)-1]
	return eachParam(params, map[string]*string{"NOTIFY": &r.Notify, "ORCPT": &r.ORcpt}, nil)
}

func (p *blockParser) arrival(value string) error {
	if !p.env.Arrived.IsZero() {
		return badEnvelope("a second Arrival-Date")
	}
	t, err := time.Parse(dateFormat, value)
	if err != nil || !validArrival(t) {
		return badEnvelope("Arrival-Date %.40q is no date", value)
	}
	p.env.Arrived = t.UTC()
	return nil
}

// validArrival holds for a time that dateFormat can carry, and a file name as
// well: the years 1970 to 9999.
func validArrival(t time.Time) bool { return t.Unix() >= 0 && t.UTC().Year() <= 9999 }

func (p *blockParser) client(value string) error {
	if p.env.Client != "" || value == "" {
		return badEnvelope("an empty or a second Client")
	}
	p.env.Client = value
	return nil
}

// cutPath takes the path off a value: the address in it, and what follows the
// space behind it.
func cutPath(value string) (address, params string, err error) {
	n, ok := pathEnd(value)
	if !ok {
		return "", "", badEnvelope("%.40q is no path", value)
	}
	if n == len(value) {
		return value[1 : n-1], "", nil
	}
	if value[n] != ' ' || n+1 == len(value) {
		return "", "", badEnvelope("junk behind the path in %.40q", value)
	}
	return value[1 : n-1], value[n+1:], nil
}

// eachParam stores the parameters, each of which may come once. utf8 is the one
// without a value; nil where it does not belong.
func eachParam(params string, into map[string]*string, utf8 *bool) error {
	for more := params != ""; more; {
		var word string
		word, params, more = strings.Cut(params, " ")
		if word == "SMTPUTF8" && utf8 != nil && !*utf8 {
			*utf8 = true
			continue
		}
		name, value, _ := strings.Cut(word, "=")
		at := into[name]
		if at == nil || *at != "" || value == "" {
			return badEnvelope("parameter %.40q", word)
		}
		*at = value
	}
	return nil
}
