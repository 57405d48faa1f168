package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"mime"
	"mime/quotedprintable"
	"strings"
	"time"
)

// mailWriter writes one message after the other into text.
type mailWriter struct {
	*rand.Rand
	text    bytes.Buffer
	threads []thread // those that still get answers
	plain   string   // text to cut bodies from
	quoted  string   // the same with umlauts, quoted-printable
	base64  string
}

// A thread is where an answer joins.
type thread struct {
	subject    string
	encoded    string
	references []string
}

func newMailWriter() *mailWriter {
	w := &mailWriter{Rand: rand.New(rand.NewPCG(3, 9051))}
	const stock = 256 << 10
	w.plain = w.prose(stock, proseWords)
	var q strings.Builder
	qp := quotedprintable.NewWriter(&q)
	qp.Write([]byte(w.prose(stock, append(accented, proseWords...))))
	qp.Close()
	w.quoted = strings.ReplaceAll(q.String(), "\r\n", "\n")
	w.base64 = w.alphabet(stock)
	return w
}

// prose is lines of words, size bytes of them.
func (w *mailWriter) prose(size int, words []string) string {
	var b strings.Builder
	for column := 0; b.Len() < size; {
		word := words[w.IntN(len(words))]
		if column += len(word) + 1; column > 72 {
			b.WriteByte('\n')
			column = len(word) + 1
		}
		b.WriteString(word + " ")
	}
	return b.String() + "\n"
}

func (w *mailWriter) alphabet(size int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	var b strings.Builder
	for b.Len() < size {
		for range 76 {
			b.WriteByte(alphabet[w.IntN(64)])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// cut is about size bytes of whole lines of a stock.
func (w *mailWriter) cut(stock string, size int) string {
	at := w.IntN(len(stock) - size - 200)
	at += strings.IndexByte(stock[at:], '\n') + 1
	end := at + size
	return stock[at : end+strings.IndexByte(stock[end:], '\n')+1]
}

func (w *mailWriter) flags() string {
	return []string{"S", "S", "S", "S", "RS", "S", "S", ""}[w.IntN(8)]
}

func (w *mailWriter) printf(format string, args ...any) { fmt.Fprintf(&w.text, format, args...) }

// message writes message i and says what searches are to find in it.
func (w *mailWriter) message(i int) corpusMessage {
	w.text.Reset()
	from, to := w.IntN(len(firstNames)*len(lastNames)), w.IntN(len(firstNames)*len(lastNames))
	t := w.thread(i)
	w.trace(i)
	w.printf("From: %s\nTo: %s\n", mailboxOf(from), mailboxOf(to))
	if w.IntN(3) == 0 {
		w.printf("Cc: %s,\n %s\n", mailboxOf(to+7), mailboxOf(to+11))
	}
	// The clocks of senders are not ours, and neither are their zones.
	zone := time.FixedZone("", (w.IntN(20)-9)*3600)
	sent := arrived(i).Add(-time.Duration(w.IntN(7200)) * time.Second).In(zone)
	w.printf("Date: %s\nSubject: %s\n", sent.Format("Mon, 2 Jan 2006 15:04:05 -0700"), t.encoded)
	last := len(t.references) - 1
	w.printf("Message-ID: %s\n", t.references[last])
	if last > 0 {
		w.printf("In-Reply-To: %s\nReferences: %s\n", t.references[last-1], strings.Join(t.references[:last], "\n "))
	}
	w.printf("MIME-Version: 1.0\nX-Mailer: bench %d.%d\n", w.IntN(4), w.IntN(10))
	w.body()
	return corpusMessage{from: firstNames[from%len(firstNames)] == fromWord, subject: strings.Contains(t.subject, subjectWord)}
}

// thread begins a thread, or goes on with one of the last 300.
func (w *mailWriter) thread(i int) thread {
	id := fmt.Sprintf("<%d.%x@%s.example.org>", arrived(i).Unix(), w.Uint32(), strings.ToLower(lastNames[i%8]))
	if len(w.threads) == 0 || w.IntN(5) < 2 {
		t := w.subject()
		t.references = []string{id}
		w.threads = append(w.threads, t)
		w.threads = w.threads[max(0, len(w.threads)-300):]
		return t
	}
	t := &w.threads[w.IntN(len(w.threads))]
	if len(t.references) == 1 {
		t.subject, t.encoded = "Re: "+t.subject, "Re: "+t.encoded
	}
	t.references = append(t.references, id)
	t.references = t.references[max(0, len(t.references)-12):]
	return *t
}

// subject begins a thread that has no messages yet; one subject of five has
// letters that want an encoded word.
func (w *mailWriter) subject() thread {
	var words []string
	for range 3 + w.IntN(5) {
		words = append(words, subjectWords[w.IntN(len(subjectWords))])
	}
	t := thread{subject: strings.Join(words, " ")}
	t.encoded = t.subject
	if w.IntN(5) == 0 {
		t.subject += " " + accented[w.IntN(len(accented))]
		encoder := []mime.WordEncoder{mime.QEncoding, mime.BEncoding}[w.IntN(2)]
		t.encoded = strings.ReplaceAll(encoder.Encode("utf-8", t.subject), "?= =?", "?=\n =?")
	}
	return t
}

// trace writes what the hosts on the way add.
func (w *mailWriter) trace(i int) {
	w.printf("Return-Path: <bounce-%d@lists.example.org>\nDelivered-To: u0@%s\n", i, mailDomain)
	for hop := range 2 + w.IntN(4) {
		w.printf("Received: from mx%d.example.org (mx%d.example.org [192.0.2.%d])\n\tby mail%d.example.net (Postfix) with ESMTPS id %X\n\tfor <u0@%s>; %s\n",
			hop, hop, w.IntN(256), hop, w.Uint64(), mailDomain, arrived(i).Format("Mon, 2 Jan 2006 15:04:05 -0700"))
	}
	w.printf("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org;\n\ts=s1; h=from:to:subject:date:message-id; bh=%s=;\n", w.base64[:43])
	for at := range 4 {
		w.printf("\t%s\n", w.base64[77*at:77*at+70])
	}
	if w.IntN(3) == 0 {
		w.printf("List-Id: <harbour.lists.example.org>\nList-Unsubscribe: <mailto:leave@lists.example.org>,\n <https://lists.example.org/leave?id=%d>\nPrecedence: list\n", i)
	}
}

// body writes one of the shapes: half of all mail is plain text, a third comes
// as text and HTML, one of seven has attachments.
func (w *mailWriter) body() {
	switch n := w.IntN(20); {
	case n < 10:
		w.printf("Content-Type: text/plain; charset=us-ascii\n\n%s", w.cut(w.plain, 400+w.IntN(4000)))
	case n < 17:
		w.alternative()
	default:
		w.mixed()
	}
}

func (w *mailWriter) boundary() string { return fmt.Sprintf("=_%016x_=", w.Uint64()) }

func (w *mailWriter) alternative() {
	b := w.boundary()
	w.printf("Content-Type: multipart/alternative;\n boundary=\"%s\"\n\n", b)
	w.printf("--%s\nContent-Type: text/plain; charset=utf-8; format=flowed\nContent-Transfer-Encoding: quoted-printable\n\n%s", b, w.cut(w.quoted, 500+w.IntN(2500)))
	w.printf("--%s\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n<html><body><p style=3D\"margin:0\">\n%s</p></body></html>\n", b, w.cut(w.quoted, 1000+w.IntN(7500)))
	w.printf("--%s--\n", b)
}

func (w *mailWriter) mixed() {
	b := w.boundary()
	w.printf("Content-Type: multipart/mixed; boundary=\"%s\"\n\nThis is a multi-part message in MIME format.\n--%s\n", b, b)
	w.alternative()
	for n := range 1 + w.IntN(2) {
		w.printf("--%s\nContent-Type: application/pdf; name=\"%s-%d.pdf\"\nContent-Disposition: attachment;\n filename=\"%[2]s-%[3]d.pdf\"\nContent-Transfer-Encoding: base64\n\n%s",
			b, subjectWords[w.IntN(len(subjectWords))], n, w.cut(w.base64, 2000+w.IntN(24000)))
	}
	w.printf("--%s--\n", b)
}

// mailboxOf is address n with its name, encoded where it has to be.
func mailboxOf(n int) string {
	first, last := firstNames[n%len(firstNames)], lastNames[n/len(firstNames)%len(lastNames)]
	return fmt.Sprintf("%s <%s.%d@example.org>", mime.QEncoding.Encode("utf-8", first+" "+last), strings.ToLower(first[:1]), n%(len(firstNames)*len(lastNames)))
}

var (
	firstNames = strings.Fields("Anna Bernd Carla Daniel Emil Frieda Georg Hanna Ivan Jana Karl Lena Miriam Nils Olga Paul Quentin Rosa Stefan Tom Ute Vera Walter Xenia Yusuf Zoe")
	lastNames  = strings.Fields("Adler Bach Conrad Dietz Engel Fuchs Graf Hahn Ibsen Jäger Krüger Löwe Müller Nowak Otto Peters Quast Roth Schröder Thoma Ulrich Vogel Weiß Young Zimmer")
	// subjectWords holds subjectWord once.
	subjectWords = strings.Fields("invoice meeting report harbour budget plan release holiday question update draft contract schedule minutes server backup ticket order delivery" +
		" reminder proposal feedback training review visit travel office project letter photo list summary change request status notes agenda offer price map")
	accented   = strings.Fields("Prüfung Übergabe Café Größe naïve Straße Zürich Ärger façade Ölpreis")
	proseWords = strings.Fields("the of and to in a is that for it was on with as be at by this had not are but from or have an they which one you were all her she there" +
		" would their we him been has when who will no more if out so up said what its about than into them can only other time new some could these two may first then do any")
)
