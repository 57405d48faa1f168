package server

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rohrpost/maildir/index"
	"rohrpost/protocol/imap"
	"rohrpost/protocol/line"
)

// benchMessage is a message of 9 KB as mail clients write them.
func benchMessage(i int) string {
	var b strings.Builder
	for hop := range 4 {
		fmt.Fprintf(&b, "Received: from mx%d.example.net (mx%[1]d.example.net [192.0.2.%[1]d])\n"+
			"\tby mail.example.org with ESMTPS id 4f%[1]d0a\n\tfor <al@example.org>; Thu, 26 Nov 2026 10:0%[1]d:00 +0100\n", hop)
	}
	fmt.Fprintf(&b, "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.net; s=s1;\n\tbh=%s;\n\tb=%s\n",
		strings.Repeat("x", 44), strings.Repeat("y", 64))
	fmt.Fprintf(&b, "Date: %s\nFrom: Bob Example %d <bob%[2]d@example.net>\nTo: Al <al@example.org>, =?utf-8?q?J=C3=B6rg?= <joerg@example.org>\n"+
		"Cc: list@example.org\nSubject: Re: =?utf-8?q?Gr=C3=BC=C3=9Fe?= number %d from here\nMessage-ID: <%[3]d.abc@example.net>\n"+
		"In-Reply-To: <%[4]d.abc@example.net>\nReferences: <%[5]d.abc@example.net> <%[4]d.abc@example.net>\n",
		arrived.Add(time.Duration(i*7919%100_000)*time.Minute).Format(time.RFC1123Z), i%50, i, i-1, i/10*10)
	b.WriteString("User-Agent: Example/1.0\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=\"=-=-1234567890\"\n\n--=-=-1234567890\n" +
		"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n" +
		strings.Repeat("Some words of a text that goes on for a while, =E2=80=93 with signs.\n", 50) +
		"\n--=-=-1234567890\nContent-Type: text/html; charset=utf-8\n\n" +
		strings.Repeat("<p>Some words of a text that goes on for a while.</p>\n", 50) + "\n--=-=-1234567890--\n")
	return b.String()
}

// BenchmarkCommands has questions about 1,000 messages, to a session that does not know
// what was derived from them, and to one that does.
func BenchmarkCommands(b *testing.B) {
	var messages []string
	for i := range 1000 {
		messages = append(messages, benchMessage(i))
	}
	for _, c := range []struct{ name, text string }{
		{"FLAGS", "UID FETCH 1:* (FLAGS)"},
		{"ENVELOPE", "UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)"},
		{"FIELDS", "UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (From To Cc Subject Date Message-ID References Content-Type In-Reply-To Reply-To)])"},
		{"SEARCH-FROM", "SEARCH FROM example"},
		{"SEARCH-SUBJECT", "SEARCH SUBJECT number"},
		{"SORT-DATE", "SORT (REVERSE DATE) UTF-8 ALL"},
		{"SORT-SUBJECT", "SORT (SUBJECT) UTF-8 ALL"},
		{"THREAD", "THREAD REFERENCES UTF-8 ALL"},
		{"BODY", "UID FETCH 1:* (UID BODY.PEEK[])"},
	} {
		s := sessionOf(b, messages...)
		s.w = &imap.Encoder{Writer: line.NewWriter(io.Discard)}
		all := b
		b.Run(c.name+"/first", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.forgetDerived(all)
				s.benchCommand(b, c.text)
			}
		})
		b.Run(c.name+"/again", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.benchCommand(b, c.text)
			}
		})
	}
}

// forgetDerived opens the mailbox anew, without its index, until the end of b.
func (s *Session) forgetDerived(b *testing.B) {
	b.Helper()
	m, exists := s.box.dir, s.box.exists
	s.box.Close()
	for _, name := range []string{index.IndexName, index.CacheName} {
		os.Remove(filepath.Join(m.Path(), name))
	}
	box := openBox(b, m)
	*s.box = selected{Mailbox: box, dir: m, exists: exists, keywords: s.box.keywords}
}

// benchCommand obeys one command.
func (s *Session) benchCommand(b *testing.B, text string) {
	b.Helper()
	s.state = selectedState
	s.d = imap.NewDecoder(line.NewReader(strings.NewReader("a "+text+"\r\n"), imap.AfterLogin.Line+2), imap.AfterLogin, nil)
	c, err := s.d.Next()
	if err != nil {
		b.Fatal(err)
	}
	if err := s.obey(c); err != nil {
		b.Fatal(err)
	}
}
