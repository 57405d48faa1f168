package server

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rohrpost/maildir"
	"rohrpost/maildir/disk/disktest"
	"rohrpost/protocol/imap/imaptest"
)

// script is a Conn whose client has said all it will say.
type script struct {
	in  *strings.Reader
	out bytes.Buffer
}

func (s *script) Read(p []byte) (int, error)  { return s.in.Read(p) }
func (s *script) Write(p []byte) (int, error) { return s.out.Write(p) }

func (s *script) ReadLineBytes(p []byte) (int, error) { return s.in.Read(p) }

func (s *script) WaitReadable(int, time.Duration) (bool, error) { return true, nil }

// FuzzSession plays any bytes to a session over a small Maildir. All that is said
// parses by an independent reader; commands are answered in their order, each once at
// most, and where it is certain what the commands were, each.
func FuzzSession(f *testing.F) {
	for _, s := range []string{
		"a SELECT INBOX\r\nb FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE BODY[] BODY[1.MIME]<0.5>)\r\nc STORE 1 +FLAGS (\\Deleted x)\r\nd EXPUNGE\r\ne LOGOUT\r\n",
		"a APPEND INBOX (\\Seen) {5+}\r\nabcde {3+}\r\nxyz\r\nb SELECT INBOX (CONDSTORE)\r\nc UID SEARCH RETURN (ALL COUNT) OR SUBJECT {1+}\r\na TEXT b\r\n",
		"a ENABLE QRESYNC\r\nb SELECT INBOX (QRESYNC (1 1 1:5))\r\nc UID FETCH 1:* FLAGS (CHANGEDSINCE 1 VANISHED)\r\nd IDLE\r\nDONE\r\ne UID MOVE 1 Box\r\n",
		"a LIST (SUBSCRIBED) \"\" (% *) RETURN (CHILDREN STATUS (MESSAGES))\r\nb CREATE \"x y\"\r\nc RENAME \"x y\" z\r\nd STATUS z (SIZE DELETED)\r\ne DELETE z\r\n",
		"a SELECT Box\r\nb SORT (REVERSE DATE SUBJECT) UTF-8 ALL\r\nc THREAD REFERENCES UTF-8 ALL\r\nd COPY 1:2 INBOX\r\ne UNSELECT\r\nf NAMESPACE\r\ng GETQUOTAROOT INBOX\r\nh ID NIL\r\n",
		"a ENABLE IMAP4rev2\r\nb SELECT Box\r\nc SEARCH RETURN (SAVE) ALL\r\nd FETCH $ (BINARY.SIZE[1] BINARY[1])\r\ne CLOSE\r\n* BYE\r\n+ x\r\nf IDLE\r\nx\r\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, said string) {
		if len(said) > 8<<10 {
			return
		}
		conn := &script{in: strings.NewReader(said)}
		s := Session{Conn: conn, Log: func(string, ...any) {}, Inbox: smallMaildir(t), Version: "1", AppendLimit: 1 << 20}
		err := s.Serve()
		judgeSession(t, said, conn.out.Bytes(), err)
	})
}

// smallMaildir is a Maildir with two messages, and a folder with one.
func smallMaildir(t *testing.T) *maildir.Maildir {
	t.Helper()
	m, err := maildir.Create(filepath.Join(disktest.Memory(t), "Maildir"), disktest.Fast)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	box, err := m.CreateFolder("Box")
	if err != nil {
		t.Fatal(err)
	}
	box.Close()
	for name, text := range map[string]string{
		"/cur/1700000001.M1P1.mx:2,S":     "From: a@b\nSubject: one\nMessage-ID: <1@x>\n\ntext\n",
		"/cur/1700000002.M1P1.mx:2,":      "Subject: =?utf-8?q?=c3=bc?=\nReferences: <1@x>\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b\nContent-Transfer-Encoding: base64\n\nAAAA\n--b--\n",
		"/.Box/cur/1700000003.M1P1.mx:2,": "Subject: three\n\n\x00\n",
	} {
		if err := os.WriteFile(m.Path()+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// judgeSession parses all that was said, and wants the commands' tags in it.
func judgeSession(t *testing.T, said string, out []byte, end error) {
	want, sure := tagsOf(said)
	r := imaptest.NewReader(bytes.NewReader(out))
	var got []string
	bye := false
	for {
		resp, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%q was answered by what does not parse: %v", said, err)
		}
		if bye && resp.Tag == "*" {
			t.Fatalf("%q: %q after BYE", said, resp.Raw)
		}
		bye = bye || resp.Name == "BYE"
		if resp.Tag != "*" && resp.Tag != "+" {
			got = append(got, resp.Tag)
		}
	}
	rest := want
	for _, tag := range got {
		i := slices.Index(rest, tag)
		if i < 0 {
			t.Fatalf("%q: answered %q, asked %q", said, got, want)
		}
		rest = rest[i+1:]
	}
	if sure && !bye && errors.Is(end, errGone) && len(got) != len(want) {
		t.Fatalf("%q: answered %q, asked %q", said, got, want)
	}
}

// tagsOf is what may be a tag in what a client said: the beginnings of lines. It is
// sure that they are where there are no literals, no lines that are no commands, and
// nothing but whole lines.
func tagsOf(said string) (tags []string, sure bool) {
	upper := strings.ToUpper(said)
	sure = strings.HasSuffix(said, "\r\n") && strings.Count(said, "\r\n") == strings.Count(said, "\n") &&
		!strings.Contains(said, "{") && !strings.Contains(upper, "IDLE") && !strings.Contains(upper, "LOGOUT")
	for l := range strings.Lines(said) {
		tag, _, isCommand := strings.Cut(strings.TrimRight(l, "\r\n"), " ")
		isTag := tag != "" && strings.IndexFunc(tag, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`(){%*+"\`, r) }) < 0
		if isTag {
			tags = append(tags, tag)
		}
		sure = sure && isTag && isCommand
	}
	return tags, sure
}
