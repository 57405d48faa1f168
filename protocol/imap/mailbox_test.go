package imap

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
)

func TestI09MailboxNames(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		utf8     bool
		want     string
		ok       bool
	}{
		// RFC 9051 section 5.1: INBOX is case-insensitive, all other names are not.
		{"INBOX", "iNbOx", false, "INBOX", true},
		{"below INBOX nothing changes", "inbox.x", false, "inbox.x", true},
		{"like INBOX", "INBOXES", false, "INBOXES", true},
		// RFC 3501 section 5.1.3.
		{"modified UTF-7", "~peter/mail/&U,BTFw-/&ZeVnLIqe-", false, "~peter/mail/台北/日本語", true},
		{"an ampersand", "a&-b", false, "a&b", true},
		{"an ampersand in UTF-8", "a&b", true, "a&b", true},
		{"UTF-8", "台北", true, "台北", true},
		{"& alone", "&", false, "", false},
		{"a NUL encoded", "&AAA-", false, "", false},
		{"a snowman without its end", "&JjoA", false, "", false},
		{"ASCII encoded", "&AGEA-", false, "", false},
		{"a slash encoded", "&AC8-", false, "", false},
		{"INBOX encoded", "&AEkATgBCAE8AWA-", false, "", false},
		{"half a surrogate", "&2AA-", false, "", false},
		{"two runs in a row", "&AOQ-&AOQ-", false, "", false},
		{"UTF-8 that was not enabled", "台北", false, "", false},
		{"no UTF-8", "a\xffb", true, "", false},
		{"a control character", "a\x01b", true, "", false},
		{"a control character encoded", "&AIA-", false, "", false},
		{"DEL", "a\x7fb", true, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := DecodeMailbox(tt.in, tt.utf8); got != tt.want || ok != tt.ok {
				t.Errorf("got %q, %v", got, ok)
			}
		})
	}
}

func TestI08MailboxNamesOnTheWire(t *testing.T) {
	runTranscripts(t, AfterLogin, []transcriptTest{
		{"a NUL in a quoted name", "a SELECT \"a\x00b\"\r\n" + next, "a BAD, z NOOP"},
		{"CR LF in a literal", "a SELECT {4}\r\na\r\nb\r\n" + next, "a BAD, z NOOP"},
		{"wildcards in an atom", "a SELECT a*\r\n" + next, "a BAD, z NOOP"},
		{"no name", "a SELECT\r\n" + next, "a BAD, z NOOP"},
		{"empty", "a SELECT \"\"\r\n" + next, "a SELECT, z NOOP"}, // no such mailbox, says the session
		{"8-bit without UTF8", "a SELECT \"\xe5\x8f\xb0\"\r\n" + next, "a BAD, z NOOP"},
		{"encoded slash", "a SELECT &AC8-\r\n" + next, "a BAD, z NOOP"},
	})
}

func FuzzMailbox(f *testing.F) {
	for _, s := range []string{"INBOX", "inbox", "&AOQ-", "..", "a/../b", "/etc/passwd", "~root", ".x", "x.", "a..b", "cur", "&AC8-", "a\r\nb", "台北"} {
		f.Add(s, false)
		f.Add(s, true)
	}
	root := f.TempDir()
	m, err := maildir.Create(filepath.Join(root, "box"), disk.OS)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { m.Close() })
	if err := os.MkdirAll(filepath.Join(root, "outside", "cur"), 0o700); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string, inUTF8 bool) {
		name, ok := DecodeMailbox(text, inUTF8)
		if !ok {
			return
		}
		// The way back is read as the same name, and is the text itself but for INBOX.
		w := newWire("a DELETE "+string(AppendMailbox(nil, name, inUTF8))+"\r\n", Limits{Line: 1 << 16, Literal: 1 << 16, Args: 9, Depth: 9})
		w.UTF8 = inUTF8
		w.Next()
		again, err := ParseMailbox(w.Decoder)
		if len(name) < 1<<14 && (err != nil || again != name) {
			t.Fatalf("%q is %q, then %q, %v", text, name, again, err)
		}
		if name != Inbox && !inUTF8 && maildir.EncodeUTF7(name) != text {
			t.Fatalf("%q and %q are one mailbox", text, maildir.EncodeUTF7(name))
		}
		if strings.ContainsAny(name, "\r\n\x00") {
			t.Fatalf("%q is %q", text, name)
		}
		// No name leads to a directory: there is no folder in box, and outside is not in it.
		folder, err := m.Folder(name)
		if err == nil {
			folder.Close()
			t.Fatalf("%q leads to a directory", name)
		}
		if !errors.Is(err, maildir.ErrFolderName) && !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("%q: %v", name, err)
		}
	})
}
