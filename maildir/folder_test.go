package maildir_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
)

func TestModifiedUTF7IsWrittenAsRFC3501Says(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"":             "",
		"INBOX":        "INBOX",
		"A&B":          "A&-B",
		"&":            "&-",
		"~peter":       "~peter",
		"日本語":          "&ZeVnLIqe-",
		"台北":           "&U,BTFw-",
		"Entwürfe":     "Entw&APw-rfe",
		"ü&ü":          "&APw-&-&APw-",
		"a\tb":         "a&AAk-b",
		"\U0001F600":   "&2D3eAA-",
		"x\U0001F600y": "x&2D3eAA-y",
	} {
		if got := maildir.EncodeUTF7(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
		if got, err := maildir.DecodeUTF7(want); got != name || err != nil {
			t.Errorf("%q is %q, %v; want %q", want, got, err, name)
		}
	}
}

func TestI09_OnlyTheCanonicalFormIsRead(t *testing.T) {
	t.Parallel()
	for about, s := range map[string]string{
		"a lone &":                     "&",
		"a run without end":            "&APw",
		"a letter in base64":           "&AGE-",
		"a slash in base64":            "&AC8-",
		"an ampersand in base64":       "&ACY-",
		"NUL":                          "&AAA-",
		"not all bits of a unit":       "&AP-",
		"bits behind the end":          "&JjoA-",
		"bits that are not zero":       "&APx-",
		"a high surrogate alone":       "&2D0-",
		"a low surrogate alone":        "&3gA-",
		"two runs in a row":            "&APw-&APw-",
		"the slash of common base64":   "&U/BTFw-",
		"padding":                      "&APw=-",
		"a byte beyond ASCII":          "Entw\xc3\xbcrfe",
		"a control byte":               "a\tb",
		"base64 of a letter, then run": "&AGEA,A-",
	} {
		if got, err := maildir.DecodeUTF7(s); err == nil {
			t.Errorf("%s: %q is read as %q", about, s, got)
		}
	}
}

func FuzzUTF7(f *testing.F) {
	for _, s := range []string{"Entw&APw-rfe", "&ZeVnLIqe-", "a&-b", "&AC8-", "&2D3eAA-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if name, err := maildir.DecodeUTF7(s); err == nil && maildir.EncodeUTF7(name) != s {
			t.Fatalf("%q is read as %q, which is written %q", s, name, maildir.EncodeUTF7(name))
		}
		name := strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
		enc := maildir.EncodeUTF7(name)
		if strings.ContainsFunc(enc, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Fatalf("%q is written %q", name, enc)
		}
		if again, err := maildir.DecodeUTF7(enc); err != nil || again != name {
			t.Fatalf("%q comes back as %q, %v", name, again, err)
		}
	})
}

// names that no folder may have, by what is wrong with them.
var badFolders = map[string]string{
	"nothing":                "",
	"a dot":                  ".",
	"two dots":               "..",
	"an empty first level":   ".x",
	"an empty last level":    "x.",
	"an empty level":         "a..b",
	"a way up":               "a/../b",
	"an absolute path":       "/etc/passwd",
	"somebody's home":        "~root",
	"NUL":                    "a\x00b",
	"CR LF":                  "a\r\nb",
	"a control character":    "a\u0085b",
	"not UTF-8":              "a\xff",
	"the inbox":              "INBOX",
	"the inbox in any case":  "inBox",
	"below it in other case": "inBox.child",
	"4 KB":                   strings.Repeat("x", 4096),
	"255 bytes and a dot":    strings.Repeat("x", 255),
	"long once it is coded":  strings.Repeat("ü", 100),
}

func TestI08_NamesThatEscapeAreRefusedAndMakeNothing(t *testing.T) {
	t.Parallel()
	m := create(t)
	for about, name := range badFolders {
		if _, err := m.Folder(name); !errors.Is(err, maildir.ErrFolderName) {
			t.Errorf("%s: Folder says %v", about, err)
		}
		if _, err := m.CreateFolder(name); !errors.Is(err, maildir.ErrFolderName) {
			t.Errorf("%s: CreateFolder says %v", about, err)
		}
	}
	if got, _ := os.ReadDir(filepath.Dir(m.Path())); len(got) != 1 {
		t.Errorf("beside the Maildir: %v", got)
	}
	if got, _ := os.ReadDir(m.Path()); len(got) != 3 {
		t.Errorf("in the Maildir: %v", got)
	}
}

func TestI08_NamesThatOnlyLookOddAreFoldersOfTheirOwn(t *testing.T) {
	t.Parallel()
	m := create(t)
	want := map[string]string{
		"cur": ".cur", "new": ".new", "tmp": ".tmp", // beside new, cur and tmp, not they
		"INBOX.INBOX": ".INBOX.INBOX",
		"Inboxes":     ".Inboxes",
		"Lists.Go":    ".Lists.Go",
		"lists.go":    ".lists.go",
		"a&b":         ".a&-b",
		"é":           ".&AOk-",    // composed
		"e\u0301":     ".e&AwE-",   // and not: two names, two folders
		"a~b %*\\":    ".a~b %*\\", // the protocols' wildcards are theirs to refuse
	}
	for name, dir := range want {
		f, err := m.CreateFolder(name)
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		f.Close()
		for _, part := range []string{"tmp", "new", "cur", "maildirfolder"} {
			if _, err := os.Stat(filepath.Join(m.Path(), dir, part)); err != nil {
				t.Errorf("%q: %v", name, err)
			}
		}
		if f, err = m.Folder(name); err != nil {
			t.Errorf("%q again: %v", name, err)
		} else {
			f.Close()
		}
		if f, err = m.CreateFolder(name); err != nil {
			t.Errorf("%q made again: %v", name, err)
		} else {
			f.Close()
		}
	}
	got, err := m.Folders()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range want {
		names = append(names, name)
	}
	slices.Sort(names)
	if !slices.Equal(got, names) {
		t.Errorf("folders are %q, want %q", got, names)
	}
}

func TestI11_WhatIsNoFolderIsNotListedNorOpened(t *testing.T) {
	t.Parallel()
	m := create(t)
	outside := t.TempDir()
	other, err := maildir.Create(filepath.Join(outside, "Maildir"), disk.OS)
	if err != nil {
		t.Fatal(err)
	}
	other.Close()
	at := func(name string) string { return filepath.Join(m.Path(), name) }
	for _, err := range []error{
		os.Symlink(filepath.Join(outside, "Maildir"), at(".symlink")),
		os.Symlink(at(".loop"), at(".loop")),
		unix.Mkfifo(at(".fifo"), 0o600),
		os.WriteFile(at(".file"), nil, 0o600),
		os.Mkdir(at(".git"), 0o700),
		os.MkdirAll(at(".&AC8-/cur"), 0o700),
		os.MkdirAll(at(".a..b/cur"), 0o700),
		os.MkdirAll(at("plain/cur"), 0o700),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got, err := m.Folders(); len(got) != 0 || err != nil {
		t.Errorf("listed %q, %v", got, err)
	}
	for _, name := range []string{"symlink", "loop", "fifo", "file", "git"} {
		if f, err := m.Folder(name); err == nil {
			f.Close()
			t.Errorf("opened %q", name)
		}
	}
	if _, err := m.CreateFolder("symlink"); err == nil {
		t.Error("a folder was made through a symbolic link")
	}
	if _, err := m.Folder("absent"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an absent folder: %v", err)
	}
}

func TestFolderTakesMessagesOfItsOwn(t *testing.T) {
	t.Parallel()
	m := create(t)
	f, err := m.CreateFolder("Lists.Go")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	deliver(t, f, "", "in the folder\n")
	if a, b := scan(t, m).Len(), scan(t, f).Len(); a != 0 || b != 1 {
		t.Errorf("%d messages in the inbox, %d in the folder", a, b)
	}
}
