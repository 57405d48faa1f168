package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
	"rohrpost/protocol/message"
)

// environment looks a variable up in lines NAME=value.
func environment(lines ...string) lookup {
	return func(name string) (string, bool) {
		for _, l := range lines {
			if n, v, _ := strings.Cut(l, "="); n == name {
				return v, true
			}
		}
		return "", false
	}
}

func TestEnvelopeSources(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name                   string
		env                    []string
		sender, recipient, ext part
	}{
		{"nobody says anything", nil, part{}, part{}, part{}},
		{"set but empty is an answer", []string{"SENDER=", "RECIPIENT=joe+x@c", "EXT="}, part{"", "SENDER"}, part{"joe+x@c", "RECIPIENT"}, part{"", "EXT"}},
		{"RECIPIENT before its parts", []string{"LOCAL=a", "HOST=b", "RECIPIENT=joe@c"}, part{}, part{"joe@c", "RECIPIENT"}, part{}},
		{"Exim's parts", []string{"LOCAL_PART=joe", "LOCAL_PART_SUFFIX=-x", "DOMAIN=c"}, part{}, part{"joe-x@c", "LOCAL_PART"}, part{"x", "LOCAL_PART_SUFFIX"}},
		{"qmail's parts", []string{"LOCAL=joe", "HOST=c"}, part{}, part{"joe@c", "LOCAL@HOST"}, part{}},
		{"Postfix's parts", []string{"LOCAL=joe", "DOMAIN=c"}, part{}, part{"joe@c", "LOCAL@DOMAIN"}, part{}},
		{"half of the parts is nothing", []string{"LOCAL=joe"}, part{}, part{}, part{}},
		{"the original recipient is better than none", []string{"ORIGINAL_RECIPIENT=sales@c"}, part{}, part{"sales@c", "ORIGINAL_RECIPIENT"}, part{}},
		{"DEFAULT before EXT before EXTENSION", []string{"EXTENSION=3", "EXT=2", "DEFAULT=1"}, part{}, part{}, part{"1", "DEFAULT"}},
		{"the last @ parts local part and domain", []string{`RECIPIENT="a@b+c"@d`}, part{}, part{`"a@b+c"@d`, "RECIPIENT"}, part{`c"`, "RECIPIENT"}},
	} {
		e := envelopeOf(options{}, environment(tt.env...))
		if e.sender != tt.sender || e.recipient != tt.recipient || e.ext != tt.ext {
			t.Errorf("%s: %+v", tt.name, e)
		}
	}
}

func TestOwnLine(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, line, want string }{
		{"with its line end", "Return-Path: <a@b>\n", "Return-Path: <a@b>"},
		{"with CRLF", "Return-Path: <a@b>\r\n", "Return-Path: <a@b>"},
		{"another field", "Received: x\n", ""},
		{"two lines", "Return-Path: <a@b>\nBcc: c\n", ""},
		{"a control byte", "Return-Path: <a\x00@b>\n", ""},
		{"too long", "Return-Path: <" + strings.Repeat("x", 1000) + ">\n", ""},
		{"nothing", "", ""},
	} {
		if got := ownLine(tt.line, "Return-Path:"); got != tt.want {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
}

// FuzzEnvelope holds to this, whatever the environment says: what is put in
// front of a message is at most two short header lines, which a scanner reads
// as such, and then the message.
func FuzzEnvelope(f *testing.F) {
	f.Add("a@b", "joe@c", "", "", "Subject: x\n\ny\n")
	f.Add("a\nb: c", "joe\r\n\r\n@c", "Return-Path: <x>\n", "Delivered-To: y\nz\n", " x\n")
	f.Add("", strings.Repeat("x", 2000), "Return-Path:", "", "From a@b\r\n\r\n")
	f.Fuzz(func(t *testing.T, sender, recipient, rpline, dtline, text string) {
		e := envelopeOf(options{}, environment("SENDER="+sender, "RECIPIENT="+recipient, "RPLINE="+rpline, "DTLINE="+dtline))
		returnPath, deliveredTo := e.lines()
		tr := newTrace(addressIn(deliveredTo))
		tr.Write([]byte(text))
		tr.Close()
		head := string(tr.prologue([]byte(text), 0, returnPath, deliveredTo))
		if !tr.returnPath && !strings.HasPrefix(head, "Return-Path:") {
			t.Fatalf("no Return-Path in %q", head)
		}
		var fields []string
		h := message.Header{Field: func(f message.Field) { fields = append(fields, string(f.Name)) }}
		h.Write([]byte(head))
		h.Close()
		fields = slices.DeleteFunc(fields, func(name string) bool {
			return strings.EqualFold(name, "Return-Path") || strings.EqualFold(name, "Delivered-To") || name == "X-Mailbox-Line"
		})
		if len(fields) > 0 || strings.Count(head, "\n") > 3 {
			t.Fatalf("%q in front of %q", head, text)
		}
		for line := range strings.SplitSeq(head, "\n") {
			if len(line) > 998 || strings.ContainsAny(strings.TrimSuffix(line, "\r"), "\r\x00") {
				t.Fatalf("line %q", line)
			}
		}
	})
}

// FuzzFolder holds to this, whatever the extension says: the message goes to the
// inbox or to a folder that existed before.
func FuzzFolder(f *testing.F) {
	for _, ext := range []string{"work", "WORK", "../x", "..", "a/b", "lists.golang", ".work", "\x00", "Ärger", "&AMQ-rger", "INBOX", "new"} {
		f.Add(ext)
	}
	box := filepath.Join(f.TempDir(), "Maildir")
	m, err := maildir.Create(box, disk.OS)
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range []string{"work", "lists.golang", "Ärger", "Two", "two"} {
		folder, err := m.CreateFolder(name)
		if err != nil {
			f.Fatal(err)
		}
		folder.Close()
	}
	if err := os.Symlink("/", box+"/.root"); err != nil {
		f.Fatal(err)
	}
	before := names(f, box)
	f.Fuzz(func(t *testing.T, ext string) {
		x := &target{inbox: m, box: m}
		if err := x.choose(part{ext, "test"}); err != nil {
			t.Fatal(err)
		}
		if x.box != m {
			defer x.box.Close()
			if dir, name := filepath.Split(x.box.Path()); dir != box+"/" || !slices.Contains(before, name) || !strings.EqualFold(x.folder, ext) {
				t.Fatalf("%q leads to %s, folder %q", ext, x.box.Path(), x.folder)
			}
		}
		if after := names(t, box); !slices.Equal(before, after) {
			t.Fatalf("%q made %q of %q", ext, after, before)
		}
	})
}
