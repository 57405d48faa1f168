package pop3

import (
	"strings"
	"testing"

	"rohrpost/maildir"
)

func TestFormatsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "nme", "%v", "%", "%0", "%08X", "%m", "%u%", "%u %v", "%u/%v", "%u\n", "%71u", "%99999999999999999999u", "ü%u", "%Lu", "a.b%u"} {
		if _, err := ParseFormat(s); err == nil {
			t.Errorf("%q is taken for a format", s)
		} else if !strings.Contains(err.Error(), "unique-ids") {
			t.Errorf("%q: error %q says not what it is about", s, err)
		}
	}
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{
		"%u":          "1.M2P3.mx,S=4", // no list: known by its name
		"%f":          "1.M2P3.mx,S=4,X=5",
		"a-%f_Z":      "a-1.M2P3.mx,S=4,X=5_Z",
		"%g":          "1.M2P3.mx,S=4,X=5",
		"dovecot":     "1.M2P3.mx,S=4",
		"name":        "1.M2P3.mx,S=4",
		"courier":     "1.M2P3.mx,S=4",
		"%f%f%f%f%f":  "=",
		"%05u-%f-%Xv": "1.M2P3.mx,S=4",
	} {
		f, err := ParseFormat(format)
		if err != nil {
			t.Fatal(err)
		}
		u := &uniqueIDs{format: f}
		got := string(u.append(nil, maildir.ParseName("1.M2P3.mx,S=4,X=5:2,S")))
		if got != want && !(want == "=" && isHash(got)) {
			t.Errorf("%s: %q, want %q", format, got, want)
		}
	}
}

// isHash reports whether s has the form of our hashes.
func isHash(s string) bool {
	hex, ok := strings.CutPrefix(s, string(rune(hashMark)))
	return ok && isDigest(hex)
}

// No message's name can pass for a unique-id that a list gives, or for a hash.
func TestNamesThatPassForOtherIDs(t *testing.T) {
	t.Parallel()
	hash := string(appendHash(nil, maildir.ParseName("1.M2P3.mx")))
	for format, names := range map[string][]string{
		"name":    {hash, "=x", "a b", "a\x7f", "\xff", strings.Repeat("n", 71), "ü"},
		"dovecot": {"000000016b03b607", "1-2", hash},
		"courier": {"UID16-1700000000", "UID7"},
	} {
		f, err := ParseFormat(format)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]string{}
		for _, name := range names {
			got := string((&uniqueIDs{format: f}).append(nil, maildir.ParseName(name)))
			if !isHash(got) || got == hash {
				t.Errorf("%s: %q has the unique-id %q", format, name, got)
			}
			if other, ok := seen[got]; ok {
				t.Errorf("%s: %q and %q are both %q", format, name, other, got)
			}
			seen[got] = name
		}
	}
}

// FuzzFormat: whatever format is taken and whatever a file is called, its
// unique-id is one by RFC 1939, and depends on the name before the colon only.
func FuzzFormat(f *testing.F) {
	f.Add("name", "1700000000.M1P1.mx,S=1,W=2:2,S")
	f.Add("%08Xu%08Xv", "x\x00y")
	f.Add("%70f", strings.Repeat("x", 300))
	f.Add("courier", "UID1-2")
	f.Fuzz(func(t *testing.T, format, name string) {
		p, err := ParseFormat(format)
		if err != nil || name == "" {
			return
		}
		u := &uniqueIDs{format: p}
		n := maildir.ParseName(name)
		id := u.append(nil, n)
		if len(id) == 0 || len(id) > maxID {
			t.Fatalf("%q of %q is %d bytes long", format, name, len(id))
		}
		for _, c := range id {
			if c < 0x21 || c > 0x7e {
				t.Fatalf("%q of %q is %q", format, name, id)
			}
		}
		n.Info = ":2,FS"
		if again := u.append(nil, maildir.ParseName(n.String())); string(again) != string(id) {
			t.Fatalf("%q of %q is %q, with other flags %q", format, name, id, again)
		}
	})
}
