package auth

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestP14_PlainIsExact(t *testing.T) {
	t.Parallel()
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for name, response := range map[string]string{
		"nothing":                  "",
		"no NUL":                   b64("annsecret"),
		"one NUL":                  b64("ann\x00secret"),
		"three NULs":               b64("\x00ann\x00secret\x00"),
		"five NULs":                b64("\x00ann\x00secret\x00\x00\x00"),
		"no login":                 b64("\x00\x00secret"),
		"no password":              b64("\x00ann\x00"),
		"no padding":               strings.TrimRight(b64("\x00ann\x00secret"), "="),
		"too much padding":         b64("\x00ann\x00secret") + "=",
		"bits behind the last":     "AGFubgBzZWNyZXR=",
		"line break inside":        "AGFubgBz\nZWNyZXQ=",
		"blank inside":             "AGFubgBz ZWNyZXQ=",
		"URL alphabet":             b64("\x00ann\x00\xfb\xff\xfe") + "-_",
		"not base64":               "\x00ann\x00secret",
		"A10 for somebody else":    b64("bob\x00ann\x00secret"),
		"A10 for a name like ours": b64("Ann\x00ann\x00secret"),
	} {
		if login, password, err := Plain(response); err != ErrMalformed || login != "" || password != "" {
			t.Errorf("%s: %q, %q, %v", name, login, password, err)
		}
	}
	for _, response := range []string{b64("\x00ann\x00se cret"), b64("ann\x00ann\x00se cret")} {
		if login, password, err := Plain(response); err != nil || login != "ann" || password != "se cret" {
			t.Errorf("%q: %q, %q, %v", response, login, password, err)
		}
	}
}

// FuzzPlain: what is taken is what was sent, and there is one way to send it.
func FuzzPlain(f *testing.F) {
	f.Add("AGFubgBzZWNyZXQ=")
	f.Add("YW5uAGFubgBzZWNyZXQ=")
	f.Add("Ym9iAGFubgBzZWNyZXQ=")
	f.Fuzz(func(t *testing.T, response string) {
		login, password, err := Plain(response)
		if err != nil {
			return
		}
		for _, authzid := range []string{"", login} {
			if base64.StdEncoding.EncodeToString([]byte(authzid+"\x00"+login+"\x00"+password)) == response {
				return
			}
		}
		t.Fatalf("%q is taken for login %q and password %q", response, login, password)
	})
}
