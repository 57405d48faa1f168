// Package corpus is the mail of the interop runs: messages that have gone wrong
// somewhere in the history of mail, and the comparison of what was sent with what
// came back.
package corpus

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
)

// A Message is what one client sends, with LF line ends, as it has to lie in the
// Maildir below the header lines that we add.
type Message struct {
	Name string
	Text []byte
}

// kinds are messages that have gone wrong somewhere in the history of mail. Each
// has Date and Message-ID, so that submission has nothing to add. %s is the name
// of the client: no two messages of a run are the same.
var kinds = []struct {
	name, head, body string
}{
	{"plain", "Subject: plain", "Hello,\n\nthis is plain text.\n"},
	{"empty body", "Subject: empty body", ""},
	{"only blank lines", "Subject: blank lines", "\n\n\n\n"},
	{"dots", "Subject: dots", ".\n..\n...\n.hidden\n. \n\n.\nlast line: .\n"},
	{"ends with dot", "Subject: ends with dot", "text\n."},
	{"no final newline", "Subject: no final newline", "the last line has no end"},
	{"8-bit body", "Subject: 8 bit\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit",
		"Grüße aus Köln, Привет, 你好, 🚀\n"},
	{"Latin-1 body", "Subject: Latin-1\nMIME-Version: 1.0\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit",
		"Gr\xfc\xdfe\x80\xff\n"},
	{"UTF-8 header", "Subject: Grüße, Привет 你好\nX-Name: Jürgen", "see the header\n"},
	{"encoded header", "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= =?utf-8?B?8J+agA==?=", "see the header\n"},
	{"folded header", "Subject: folded\n over\n\tthree lines\nX-Empty:\nX-Tab:\tvalue \t", "see the header\n"},
	{"line of 998", "Subject: long line", strings.Repeat("x", 998) + "\n" + strings.Repeat("y", 998) + "\n"},
	{"dotted line of 998", "Subject: long dotted line", "." + strings.Repeat("x", 997) + "\n"},
	{"white space", "Subject: white space", " leading\n\ttab\ntrailing \n\t\n  \nform feed\f, bell\a, escape\x1b[1m\n"},
	{"From in body", "Subject: From in body", "From the beginning\n>From quoted\n\nFrom after a blank line\n"},
	{"looks like headers", "Subject: looks like headers", "Return-Path: <x@y>\nDelivered-To: nobody\n\nReceived: from body\n"},
	{"looks like SMTP", "Subject: looks like SMTP", "\n.\nQUIT\nDATA\nMAIL FROM:<a@b>\n.\n"},
	{"multipart", "Subject: multipart\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"=_b\"", multipart},
	{"100 KB", "Subject: large", strings.Repeat("one hundred kilobytes of the same line, more or less\n", 2000)},
}

var multipart = "preamble\n--=_b\nContent-Type: text/plain\n\nfirst\n--=_b\n" +
	"Content-Type: application/octet-stream; name=\"a.bin\"\nContent-Transfer-Encoding: base64\n\n" +
	wrap(base64.StdEncoding.EncodeToString(everyByte())) + "--=_b--\nepilogue\n"

func everyByte() []byte {
	b := make([]byte, 1024)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

func wrap(s string) string {
	var b strings.Builder
	for ; len(s) > 76; s = s[76:] {
		b.WriteString(s[:76] + "\n")
	}
	return b.String() + s + "\n"
}

// Messages are all kinds as a client sends them.
func Messages(client, from, to string) []Message {
	var list []Message
	for n, k := range kinds {
		head := fmt.Sprintf("From: <%s>\nTo: <%s>\nDate: Mon, 02 Jan 2006 15:04:05 +0000\nMessage-ID: <%d.%s@client.example.org>\n%s\n\n",
			from, to, n, client, k.head)
		list = append(list, Message{k.name, []byte(head + k.body)})
	}
	return list
}

// OnWire is the message as DATA carries it: CRLF, dots doubled, end mark.
func (m Message) OnWire() []byte {
	var b bytes.Buffer
	for line := range bytes.Lines(m.Text) {
		if line[0] == '.' {
			b.WriteByte('.')
		}
		b.Write(bytes.TrimSuffix(line, []byte("\n")))
		b.WriteString("\r\n")
	}
	b.WriteString(".\r\n")
	return b.Bytes()
}

// AsRead is the message as POP3 can show it: a last line always has an end.
func (m Message) AsRead() []byte { return ended(m.Text) }

func ended(text []byte) []byte {
	if bytes.HasSuffix(text, []byte("\n")) {
		return text
	}
	return append(bytes.Clone(text), '\n')
}
