package uidlist

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
)

const v3 = "3 V1700000000 N1235 G0123456789abcdef0123456789abcdef\n" +
	"1200 W2100 :1700000001.M5P77.mx,S=2048\n" +
	"1234 Gabc P0001000265a1bc00 :1700000009.M5P78.mx,S=99,W=103:2,S\n"

func TestVersion3(t *testing.T) {
	t.Parallel()
	l, err := Parse([]byte(v3))
	if err != nil {
		t.Fatal(err)
	}
	if l.Validity != 1700000000 || l.Next != 1235 || l.GUID != "0123456789abcdef0123456789abcdef" {
		t.Errorf("%+v", l)
	}
	r, ok := l.Find("1700000001.M5P77.mx")
	if w, has := r.Field('W'); !ok || r.UID != 1200 || r.Name != "1700000001.M5P77.mx,S=2048" || w != "2100" || !has {
		t.Errorf("%+v, %v", r, ok)
	}
	r, ok = l.Find("1700000009.M5P78.mx")
	g, _ := r.Field('G')
	p, _ := r.Field('P')
	if _, has := r.Field('O'); !ok || r.UID != 1234 || g != "abc" || p != "0001000265a1bc00" || has {
		t.Errorf("%+v, %v", r, ok)
	}
	if r, ok := l.Find("1700000001"); ok {
		t.Errorf("found %+v", r)
	}
}

func TestVersion1(t *testing.T) {
	t.Parallel()
	l, err := Parse([]byte("1 1700000000 9\n3 a.b.c\n7 d e.f:2,S\n"))
	if err != nil || l.Validity != 1700000000 || l.Next != 9 {
		t.Fatalf("%+v, %v", l, err)
	}
	for base, uid := range map[string]uint32{"a.b.c": 3, "d e.f": 7} {
		if r, ok := l.Find(base); !ok || r.UID != uid {
			t.Errorf("%s: %+v, %v", base, r, ok)
		}
	}
}

func TestWhatIsNoList(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "3 V1 N1", "\n", "2 V1 N1\n", "3\n", "3 V1\n", "3 N1\n", "3 V0 N1\n", "3 V4294967296 N1\n", "3 V1x N1\n", "1 5\n", "1 a b\n", "x\n", "\x00\n"} {
		var broken *BrokenError
		if _, err := Parse([]byte(s)); !errors.As(err, &broken) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// Lines that say nothing are left out, and the ones around them still count.
func TestLinesThatSayNothing(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"no UID":                "W5 :x.y",
		"UID 0":                 "0 :x.y",
		"largest number":        "4294967295 :x.y",
		"too large":             "4294967300 :x.y",
		"much too large":        "99999999999999999999999999 :x.y",
		"negative":              "-5 :x.y",
		"no name":               "7 W5",
		"empty name":            "7 W5 :",
		"colon within a field":  "7 W5:x.y",
		"path":                  "7 :../x.y",
		"NUL":                   "7 :x.y\x00",
		"UIDs that go backward": "3 :x.y",
		"the same UID again":    "5 :x.y",
		"empty line":            "",
		"UID alone":             "7",
	} {
		l, err := Parse([]byte("3 V1 N2\n5 :a.b\n" + line + "\n8 :c.d\n"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if r, ok := l.Find("x.y"); ok {
			t.Errorf("%s: found %+v", name, r)
		}
		a, okA := l.Find("a.b")
		c, okC := l.Find("c.d")
		if !okA || a.UID != 5 || !okC || c.UID != 8 || l.Next != 9 {
			t.Errorf("%s: others are %+v, %+v, next %d", name, a, c, l.Next)
		}
	}
}

func TestTornLastLineIsNotThere(t *testing.T) {
	t.Parallel()
	l, err := Parse([]byte("3 V1 N9\n5 :a.b\n6 :c.d"))
	if err != nil {
		t.Fatal(err)
	}
	if r, ok := l.Find("c.d"); ok {
		t.Errorf("found %+v", r)
	}
}

func TestLaterLineOfOneMessageCounts(t *testing.T) {
	t.Parallel()
	l, err := Parse([]byte("3 V1 N9\n5 :a.b,S=1:2,\n6 :c.d\n7 :a.b,S=1:2,S\n"))
	if err != nil {
		t.Fatal(err)
	}
	if r, ok := l.Find("a.b"); !ok || r.UID != 7 {
		t.Errorf("%+v, %v", r, ok)
	}
}

func TestCourierOfEveryVersion(t *testing.T) {
	t.Parallel()
	for version, c := range map[string]struct {
		list          string
		uid, validity uint64
	}{
		"3":                   {"/3 18 1700000000\na.b,S=5:2,S 2100 16:1700000000:0\n", 16, 1700000000},
		"2":                   {"/2 18 1700000000\na.b,S=5:2,S 2100 16:1700000000\n", 16, 1700000000},
		"1":                   {"/1 18 1700000000\na.b 2100 16\n", 16, 0},
		"3 from version 1":    {"/3 18 1700000000\na.b 2100 16:0:0\n", 16, 0},
		"0 has no UIDs":       {"a.b 2100\n", 0, 0},
		"name with blanks":    {"/3 9 8\na.b,S=5 x 2100 7:8:0\na.b 1 5:6:0\n", 5, 6},
		"path":                {"/3 9 8\nx/a.b 1 5:6:0\n", 0, 0},
		"UID 0":               {"/3 9 8\na.b 1 0:6:0\n", 0, 0},
		"no number":           {"/3 9 8\na.b 1 x:6:0\n", 0, 0},
		"something behind it": {"/3 9 8\na.b 1 5:6x\n", 0, 0},
		"torn":                {"/3 9 8\na.b 1 5:6:0", 0, 0},
		"empty":               {"", 0, 0},
	} {
		l, err := ParseCourier([]byte(c.list))
		if err != nil {
			t.Errorf("version %s: %v", version, err)
			continue
		}
		uid, validity, ok := l.Find("a.b")
		if uid != c.uid || validity != c.validity || ok != (c.uid > 0) {
			t.Errorf("version %s: %d-%d, %v", version, uid, validity, ok)
		}
	}
	for _, s := range []string{"/4 1 1\n", "/", "/x\n"} {
		if _, err := ParseCourier([]byte(s)); err == nil {
			t.Errorf("%q is taken for a list", s)
		}
	}
}

func TestReadNamesTheFile(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	dir, err := disk.OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if _, err := Read(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no list: %v", err)
	}
	if _, err := ReadCourier(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no list of Courier: %v", err)
	}
	for name, read := range map[string]func() error{
		Name:        func() error { _, err := Read(dir); return err },
		CourierName: func() error { _, err := ReadCourier(dir); return err },
	} {
		file := filepath.Join(path, name)
		if err := os.WriteFile(file, []byte("/broken\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		var broken *BrokenError
		if err := read(); !errors.As(err, &broken) || !strings.Contains(err.Error(), file) {
			t.Errorf("broken %s: %v", name, err)
		}
		if err := os.Truncate(file, maxFile+1); err != nil {
			t.Fatal(err)
		}
		if err := read(); !errors.As(err, &broken) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s of more than %d bytes: %v", name, maxFile, err)
		}
	}
}

func TestI29ListBeyondTheBoundIsNotRead(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	dir, err := disk.OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	file := filepath.Join(path, Name)
	if err := errors.Join(os.WriteFile(file, []byte("3 V1 N1\n"), 0o600), os.Truncate(file, maxFile+1)); err != nil {
		t.Fatal(err)
	}
	var broken *BrokenError
	if l, err := Read(dir); !errors.As(err, &broken) {
		t.Errorf("%d records, %v", l.Len(), err)
	}
}

// FuzzParse: what is found is what a line says, and every good line is found.
func FuzzParse(f *testing.F) {
	f.Add(v3, "1700000001.M5P77.mx")
	f.Add("1 1700000000 9\n3 a.b.c\n", "a.b.c")
	f.Add("3 V1 N1\n1 :\n2 :a\n3 :a", "a")
	f.Fuzz(func(t *testing.T, s, base string) {
		l, err := Parse([]byte(s))
		if err != nil || base == "" {
			return
		}
		r, ok := l.Find(base)
		if !ok {
			return
		}
		if r.UID == 0 || r.UID >= l.Next || maildir.ParseName(r.Name).Base != base {
			t.Fatalf("%q in %q: %+v, next UID %d", base, s, r, l.Next)
		}
		if !strings.Contains(s, fmt.Sprintf("%s\n", r.Name)) {
			t.Fatalf("%q in %q: name %q is in no line", base, s, r.Name)
		}
	})
}

// FuzzParseCourier: what is found has a UID that a line says.
func FuzzParseCourier(f *testing.F) {
	f.Add("/3 18 1700000000\na.b,S=5:2,S 2100 16:1700000000:0\n", "a.b")
	f.Add("a.b 2100\n", "a.b")
	f.Fuzz(func(t *testing.T, s, base string) {
		l, err := ParseCourier([]byte(s))
		if err != nil || base == "" {
			return
		}
		if uid, _, ok := l.Find(base); ok && (uid == 0 || uid > 1<<32-1) {
			t.Fatalf("%q in %q: %d", base, s, uid)
		}
	})
}
