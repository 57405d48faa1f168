package auth

import (
	"reflect"
	"strings"
	"testing"
)

func TestReportComesBackAsItWas(t *testing.T) {
	t.Parallel()
	for name, id := range map[string]Identity{
		"a user with groups":     {UID: 1000, GIDs: []int{1000, 4, 27}, Dir: "/home/bob", Env: []string{"HOME=/home/bob", "EMPTY=", "A=b=c"}},
		"root, no environment":   {UID: 0, GIDs: []int{0}, Dir: "/"},
		"the largest ids":        {UID: 1<<32 - 2, GIDs: []int{1<<32 - 2}, Dir: "/x"},
		"newlines in the values": {UID: 1, GIDs: []int{1}, Dir: "/a\nb", Env: []string{"X=\n\n"}},
	} {
		b, err := AppendReport(nil, id)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := ParseReport(b)
		if err != nil || !reflect.DeepEqual(got, id) {
			t.Errorf("%s: %+v came back as %+v, %v", name, id, got, err)
		}
	}
}

func TestReportRefusesWhatIsNone(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]string{
		"nothing":                    "",
		"a word":                     "yes\n",
		"noise before":               "hello\nlogin-ok 1\x001\x001\x00/\x00\x00",
		"noise behind":               "login-ok 1\x001\x001\x00/\x00\x00hello",
		"another version":            "login-ok 2\x001\x001\x00/\x00\x00",
		"no end":                     "login-ok 1\x001\x001\x00/\x00A=b\x00",
		"cut within a field":         "login-ok 1\x001\x001\x00/ho",
		"no directory":               "login-ok 1\x001\x001\x00\x00",
		"relative directory":         "login-ok 1\x001\x001\x00home\x00\x00",
		"uid -1":                     "login-ok 1\x00-1\x001\x00/\x00\x00",
		"uid 4294967295":             "login-ok 1\x004294967295\x001\x00/\x00\x00",
		"uid 2^32":                   "login-ok 1\x004294967296\x001\x00/\x00\x00",
		"uid with zeros":             "login-ok 1\x00007\x001\x00/\x00\x00",
		"uid with sign":              "login-ok 1\x00+7\x001\x00/\x00\x00",
		"no uid":                     "login-ok 1\x00\x001\x00/\x00\x00",
		"no gid":                     "login-ok 1\x001\x00\x00/\x00\x00",
		"two blanks between gids":    "login-ok 1\x001\x001  2\x00/\x00\x00",
		"a string that sets nothing": "login-ok 1\x001\x001\x00/\x00A\x00\x00",
		"an empty string inside":     "login-ok 1\x001\x001\x00/\x00\x00A=b\x00\x00",
		"two reports":                "login-ok 1\x001\x001\x00/\x00\x00login-ok 1\x001\x001\x00/\x00\x00",
	} {
		if id, err := ParseReport([]byte(s)); err == nil {
			t.Errorf("%s: taken as %+v", name, id)
		}
	}
}

func TestReportIsBounded(t *testing.T) {
	t.Parallel()
	id := Identity{UID: 1, GIDs: []int{1}, Dir: "/", Env: []string{"A=" + strings.Repeat("x", maxReport)}}
	if b, err := AppendReport([]byte("kept"), id); err == nil || string(b) != "kept" {
		t.Errorf("a report of more than %d bytes: %d bytes, %v", maxReport, len(b), err)
	}
}

// FuzzReport: what parses is what would be written, byte for byte, so there is
// one form only of each identity.
func FuzzReport(f *testing.F) {
	b, _ := AppendReport(nil, Identity{UID: 7, GIDs: []int{7, 8}, Dir: "/x", Env: []string{"A=b", "C="}})
	f.Add(b)
	f.Add([]byte("login-ok 1\x001\x001\x00/\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		id, err := ParseReport(b)
		if err != nil {
			return
		}
		again, err := AppendReport(nil, id)
		if err != nil || string(again) != string(b) {
			t.Fatalf("%q parses as %+v, which is written %q, %v", b, id, again, err)
		}
	})
}

// FuzzRecord: a record that is made has three fields and gives back exactly
// what went in, so no field can grow into the next.
func FuzzRecord(f *testing.F) {
	f.Add("bob", "secret", "<1@host>")
	f.Add("bob\x00", "x", "")
	f.Add("../x", "\n", "")
	f.Fuzz(func(t *testing.T, login, password, stamp string) {
		b, err := appendRecord(nil, login, password, stamp)
		if err != nil {
			if err != ErrRefused || b != nil {
				t.Fatalf("%q, %v: want nothing and a refusal", b, err)
			}
			return
		}
		got := strings.Split(string(b), "\x00")
		if len(b) > maxRecord || len(got) != 4 || got[0] != login || got[1] != password || got[2] != stamp || got[3] != "" {
			t.Fatalf("%q %q %q became %q", login, password, stamp, b)
		}
		if strings.ContainsAny(login, "\x00\n/") || login == "" || password == "" {
			t.Fatalf("login %q with password %q was taken", login, password)
		}
	})
}
