package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// A corpus is mail as it lies in a mailbox of some years: threads, text in two
// forms, attachments, encoded words. It is made once for all contenders.
type corpus struct {
	dir      string
	messages []corpusMessage
}

// corpusMessage is what answers about a message are checked with.
type corpusMessage struct {
	name    string
	octets  int64 // with CRLF
	from    bool  // fromWord is in its From
	subject bool  // subjectWord is in its Subject
}

// The words that the searches look for; absentWord is in no message.
const (
	fromWord    = "Miriam"
	subjectWord = "harbour"
	absentWord  = "xyzzyplugh"
)

// corpusStart and corpusStep are when the first message came, and how long
// after it the next.
var corpusStart = time.Date(2024, 1, 1, 8, 0, 0, 0, time.UTC)

const corpusStep = 10 * time.Minute

func arrived(i int) time.Time { return corpusStart.Add(time.Duration(i) * corpusStep) }

// makeCorpus makes n messages in dir. The same n makes the same messages.
func makeCorpus(dir string, n int) (*corpus, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	c := &corpus{dir: dir}
	w := newMailWriter()
	for i := range n {
		m := w.message(i)
		text := w.text.Bytes()
		m.octets = int64(len(text) + bytes.Count(text, []byte("\n")))
		m.name = fmt.Sprintf("%d.M%06dP1.bench,S=%d,W=%d:2,%s", arrived(i).Unix(), i, len(text), m.octets, w.flags())
		if err := writeMail(filepath.Join(dir, m.name), text, arrived(i)); err != nil {
			return nil, err
		}
		c.messages = append(c.messages, m)
	}
	return c, nil
}

func writeMail(path string, text []byte, arrived time.Time) error {
	return errors.Join(os.WriteFile(path, text, 0o600), os.Chown(path, mailUID, mailUID), os.Chtimes(path, arrived, arrived))
}

// link puts messages first to first+n-1 into a Maildir that is only read: the
// contenders share the inodes, so that the kernel's cache favours nobody.
func (c *corpus) link(box string, first, n int) error {
	for _, m := range c.messages[first : first+n] {
		if err := os.Link(filepath.Join(c.dir, m.name), filepath.Join(box, "cur", m.name)); err != nil {
			return err
		}
	}
	return nil
}

// copy puts the first n messages into a Maildir in which files are changed:
// what one contender does with an inode must not be news to another.
func (c *corpus) copy(box string, n int) error {
	for i, m := range c.messages[:n] {
		text, err := os.ReadFile(filepath.Join(c.dir, m.name))
		if err == nil {
			err = writeMail(filepath.Join(box, "cur", m.name), text, arrived(i))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// A tally is what is right to answer about the first messages of a corpus.
type tally struct {
	messages, from, subject, since int
	octets                         int64
	day                            string // since when since counts, as SEARCH wants it
}

func (c *corpus) tally(n int) tally {
	y, m, d := arrived(n * 9 / 10).Local().Date()
	day := time.Date(y, m, d, 0, 0, 0, 0, time.Local)
	t := tally{messages: n, day: day.Format("2-Jan-2006")}
	for i, m := range c.messages[:n] {
		t.octets += m.octets
		t.from += count(m.from)
		t.subject += count(m.subject)
		t.since += count(!arrived(i).Before(day))
	}
	return t
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
