package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rohrpost/scripts/interop/corpus"
	"rohrpost/scripts/interop/host"
)

// visitor is a visit whose account has one message of ours in INBOX.
func visitor(t *testing.T) *visit {
	v := &visit{Host: &host.Host{Dir: t.TempDir()}, tally: &tally{}, user: "u", sent: corpus.Messages("u", "a@b", "c@d")[:1]}
	v.expects = shelf{"INBOX": {"plain": ""}, archive: {}}
	for _, folder := range []string{"INBOX", archive} {
		if err := makeFolder(v.folder(folder)); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

func write(t *testing.T, dir, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAsExpected(t *testing.T) {
	plain := corpus.Messages("u", "a@b", "c@d")[0].Text
	other := []byte("Subject: other\n\ntext\n")
	for _, c := range []struct {
		name  string
		files map[string][]byte // by path below the Maildir
		right bool
	}{
		{"the message is where it was", map[string][]byte{"new/1": plain}, true},
		{"deliver's lines on top do not count", map[string][]byte{"cur/1:2,": append([]byte("Return-Path: <a@b>\n"), plain...)}, true},
		{"it is gone", nil, false},
		{"it has a flag that nobody set", map[string][]byte{"cur/1:2,S": plain}, false},
		{"it is in another folder", map[string][]byte{".Archive/cur/1:2,": plain}, false},
		{"it is in two folders", map[string][]byte{"new/1": plain, ".Archive/cur/1:2,": plain}, false},
		{"it is there twice", map[string][]byte{"new/1": plain, "cur/2:2,": plain}, false},
		{"a byte has changed", map[string][]byte{"new/1": []byte(strings.Replace(string(plain), "Hello", "Hallo", 1))}, false},
		{"there is another", map[string][]byte{"new/1": plain, "new/2": other}, false},
		{"there is another folder", map[string][]byte{"new/1": plain, ".More/cur/1:2,": other}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := visitor(t)
			for path, text := range c.files {
				if err := makeFolder(filepath.Join(v.folder("INBOX"), filepath.Dir(filepath.Dir(path)))); err != nil {
					t.Fatal(err)
				}
				write(t, v.folder("INBOX"), path, text)
			}
			v.asExpected("in a test")
			if right := v.tally.failed == 0 && v.tally.passed == 1; right != c.right {
				t.Errorf("%+v, should be right: %v", *v.tally, c.right)
			}
		})
	}
}

func TestNotAllRead(t *testing.T) {
	v := visitor(t)
	dir := t.TempDir()
	crlf := []byte(strings.ReplaceAll(string(v.sent[0].Text), "\n", "\r\n"))
	write(t, dir, "1", crlf)
	if wrong := v.notAllRead(host.Files(dir)); wrong != "" {
		t.Error("a message with CRLF:", wrong)
	}
	write(t, dir, "2", crlf)
	if wrong := v.notAllRead(host.Files(dir)); !strings.Contains(wrong, "twice") {
		t.Errorf("a message read twice: %q", wrong)
	}
	if wrong := v.notAllRead(nil); wrong == "" {
		t.Error("nothing read is not told")
	}
}
