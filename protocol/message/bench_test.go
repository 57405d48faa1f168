package message

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// sample is a message of about this size as mail clients write them: trace
// fields, two alternatives, an attachment.
func sample(size int) []byte {
	var b strings.Builder
	for i := range 4 {
		fmt.Fprintf(&b, "Received: from mx%d.example.net (mx%[1]d.example.net [192.0.2.%[1]d])\n"+
			"\tby mail.example.org with ESMTPS id 4f%[1]d0a\n\tfor <al@example.org>; Thu, 26 Nov 2026 10:0%[1]d:00 +0100\n", i)
	}
	b.WriteString("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.net; s=s1;\n" +
		"\tbh=" + strings.Repeat("x", 44) + ";\n\tb=" + strings.Repeat("y", 64) + "\n\t" + strings.Repeat("z", 64) + "\n" +
		"Date: Thu, 26 Nov 2026 10:00:00 +0100\nFrom: Bob Example <bob@example.net>\n" +
		"To: Al <al@example.org>, =?utf-8?q?J=C3=B6rg?= <joerg@example.org>\nCc: list@example.org\n" +
		"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= from here\nMessage-ID: <1234567890.abc@example.net>\n" +
		"In-Reply-To: <0987654321.def@example.org>\nReferences: <0987654321.def@example.org>\n" +
		"User-Agent: Example/1.0\nMIME-Version: 1.0\n" +
		"Content-Type: multipart/mixed; boundary=\"=-=-outer-1234567890\"\n\n--=-=-outer-1234567890\n" +
		"Content-Type: multipart/alternative; boundary=\"=-=-inner-1234567890\"\n\n--=-=-inner-1234567890\n" +
		"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n" +
		strings.Repeat("Some words of a text that goes on for a while, =E2=80=93 with signs.\n", 8) +
		"\n--=-=-inner-1234567890\nContent-Type: text/html; charset=utf-8\n\n" +
		strings.Repeat("<p>Some words of a text that goes on for a while.</p>\n", 8) +
		"\n--=-=-inner-1234567890--\n\n--=-=-outer-1234567890\n" +
		"Content-Type: application/pdf; name=\"a file.pdf\"\nContent-Disposition: attachment; filename=\"a file.pdf\"; size=1234\n" +
		"Content-Transfer-Encoding: base64\n\n")
	for b.Len() < size {
		b.WriteString("JVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoKPDwvTGVuZ3RoIDMgMCBSL0ZpbHRlci9GbGF0ZURl\n")
	}
	b.WriteString("\n--=-=-outer-1234567890--\n")
	return []byte(b.String())
}

func BenchmarkEnvelopeAndStructure(b *testing.B) {
	for _, size := range []int{4 << 10, 100 << 10} {
		for _, end := range []string{"LF", "CRLF"} {
			msg := sample(size)
			if end == "CRLF" {
				msg = bytes.ReplaceAll(msg, []byte("\n"), []byte("\r\n"))
			}
			b.Run(fmt.Sprintf("%dK/%s", size>>10, end), func(b *testing.B) {
				var s Scanner
				var dst []byte
				r := bytes.NewReader(msg)
				b.SetBytes(int64(len(msg)))
				b.ReportAllocs()
				for b.Loop() {
					r.Reset(msg)
					tree, _ := s.Scan(r)
					dst = tree.AppendEnvelope(dst[:0], 0, false)
					dst = tree.AppendStructure(dst, true, false)
				}
			})
		}
	}
}

func BenchmarkScanHeader(b *testing.B) {
	msg := sample(4 << 10)
	var s Scanner
	var dst []byte
	r := bytes.NewReader(msg)
	b.ReportAllocs()
	for b.Loop() {
		r.Reset(msg)
		tree, _ := s.ScanHeader(r)
		dst = tree.AppendEnvelope(dst[:0], 0, false)
	}
}

func BenchmarkWire(b *testing.B) {
	msg := sample(100 << 10)
	var w Wire
	r := bytes.NewReader(msg)
	p := make([]byte, 16<<10)
	b.SetBytes(int64(len(msg)))
	b.ReportAllocs()
	for b.Loop() {
		r.Reset(msg)
		w.Reset(r)
		for {
			if _, err := w.Read(p); err != nil {
				break
			}
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, e := range []Encoding{Base64, QuotedPrintable} {
		msg := sample(100 << 10)
		var d Decoder
		r := bytes.NewReader(msg)
		p := make([]byte, 16<<10)
		b.Run(fmt.Sprint(e), func(b *testing.B) {
			b.SetBytes(int64(len(msg)))
			b.ReportAllocs()
			for b.Loop() {
				r.Reset(msg)
				d.Reset(r, e)
				for {
					if _, err := d.Read(p); err != nil {
						break
					}
				}
			}
		})
	}
}

func BenchmarkFields(b *testing.B) {
	msg := sample(4 << 10)
	var f FieldReader
	set := NewFieldSet("From", "To", "Cc", "Subject", "Date", "Message-ID", "References", "List-ID")
	r := bytes.NewReader(msg)
	p := make([]byte, 16<<10)
	b.ReportAllocs()
	for b.Loop() {
		r.Reset(msg)
		f.Reset(r, set, false)
		for {
			if _, err := f.Read(p); err != nil {
				break
			}
		}
	}
}
