package server

import (
	"bytes"
	"io"

	"rohrpost/maildir/disk"
	"rohrpost/maildir/mailbox"
	"rohrpost/protocol/message"
)

// What is derived from messages and kept for all sessions (mailbox.Cached).
const (
	// kindFields is the fields of the header that are asked for again and again, as
	// they are stored, with the empty line behind them. ENVELOPE, HEADER.FIELDS,
	// SEARCH, SORT and THREAD are answered from it.
	kindFields mailbox.Kind = 1 + iota
	// kindStructure is BODYSTRUCTURE, and kindBody is BODY, as they are sent; further
	// below, kindEnvelope is ENVELOPE.
	kindStructure
	kindBody
	// kindSort and kindThread are what SORT and THREAD compare (derived.go). If it is to
	// be found out in another way, or folded in another way, they get other numbers.
	kindSort
	kindThread
	kindEnvelope
)

// maxFields is how much of a header's fields is kept, in bytes.
const maxFields = 16 << 10

// keptFields are the fields of kindFields: those of ENVELOPE and THREAD, and what
// mail clients ask for to show a list.
var keptFields = message.NewFieldSet(
	"Date", "Subject", "From", "Sender", "Reply-To", "To", "Cc", "Bcc", "In-Reply-To", "Message-ID", "References",
	"Content-Type", "Content-Transfer-Encoding", "Content-Description", "Content-Disposition", "MIME-Version",
	"Priority", "X-Priority", "Importance", "X-Label", "X-Keywords", "Newsgroups", "Lines", "List-Id", "List-Post", "List-Subscribe", "List-Unsubscribe",
	"X-Original-To", "Delivered-To", "Return-Path", "Disposition-Notification-To", "X-Spam-Flag", "X-Spam-Status", "X-Mailer", "User-Agent",
)

// content is what has been read of one message. Buffers and scanners are kept from
// message to message.
type content struct {
	s   *Session
	pos int

	src    io.ReaderAt  // the message; nil until it is needed
	size   int64        // in bytes as stored
	file   *disk.Reader // src, or where src was read from, as long as it is open
	fields []byte       // kindFields, nil until it is needed
	top    *message.Tree
	tree   *message.Tree

	begun     bool // src is the beginning
	hasFields bool
	cut       bool // fields are more than maxKept, and not all of them are there

	headers message.Scanner // of top
	whole   message.Scanner // of tree
	raw     []byte          // a small message
	room    []byte          // for fields
	memory  bytes.Reader    // of raw
	reader  bytes.Reader    // of fields
	filter  message.FieldReader
	wire    message.Wire
	decoder message.Decoder
}

// small is what is read in one piece, in bytes: nearly every message.
const small = 64 << 10

// reset begins with another message.
func (c *content) reset(pos int) {
	c.pos, c.src, c.fields, c.top, c.tree = pos, nil, nil, nil, nil
	c.begun, c.hasFields, c.cut = false, false, false
}

func (c *content) close() {
	if c.file != nil {
		c.file.Close()
		c.file = nil
	}
}

// open opens the message, once. A small one is read.
func (c *content) open() error {
	if c.src != nil && !c.begun {
		return nil
	}
	if err := c.openFile(); err != nil {
		return err
	}
	if c.size >= small {
		c.src, c.begun = c.file, false
		return nil
	}
	return c.read(int(c.size))
}

// openHeader opens the message as far as its header, and not much further. What is read
// is enough for headerRange; open is to be called for more.
func (c *content) openHeader() error {
	if c.src != nil {
		return nil
	}
	if err := c.openFile(); err != nil {
		return err
	}
	return c.read(int(min(c.size, beginning)))
}

// beginning is what is read of a message at first if only its header is wanted, in
// bytes: nearly every header.
const beginning = 8 << 10

func (c *content) openFile() error {
	if c.file != nil {
		return nil
	}
	f, err := c.s.box.OpenMessage(c.pos)
	if err != nil {
		return err
	}
	c.file, c.size = f, f.Size()
	if c.raw == nil {
		c.raw = make([]byte, small)
	}
	return nil
}

// read reads so many bytes from the start of the message into memory. All of a message
// is what it was when it was opened, or as much as is left of it.
func (c *content) read(size int) error {
	n, err := c.file.ReadAt(c.raw[:size], 0)
	if err == io.EOF {
		c.size = int64(n)
	} else if err != nil {
		return err
	}
	c.memory.Reset(c.raw[:n])
	c.src, c.begun = &c.memory, int64(n) < c.size
	if !c.begun {
		c.close()
	}
	return nil
}

// section reads a range of the message as it is stored.
func (c *content) section(r message.Range) *io.SectionReader {
	return io.NewSectionReader(c.src, r.Offset, r.Size)
}

// all is the range of the whole message, whose size on the wire is not known.
func (c *content) all() message.Range { return message.Range{Size: c.size, Wire: -1} }

// header is the message's header, or as much of it as keptFields names: enough for
// ENVELOPE, SORT and THREAD.
func (c *content) header() (*message.Tree, error) {
	if c.top != nil {
		return c.top, nil
	}
	if c.tree != nil {
		c.top = c.tree
		_, err := c.kept()
		return c.top, err
	}
	fields, err := c.kept()
	if err != nil || c.top != nil { // they were read from the header just now
		return c.top, err
	}
	c.reader.Reset(fields)
	c.top, err = c.headers.ScanHeader(&c.reader)
	return c.top, err
}

// maxKept is how much of the fields of kindFields is looked at, in bytes. Honest ones
// are a hundredth of that; a hostile one may be as long as a message can be.
const maxKept = 1 << 20

// kept is the fields of kindFields, which become cached.
func (c *content) kept() ([]byte, error) {
	if c.hasFields {
		return c.fields, nil
	}
	if b, ok := c.s.box.Cached(c.pos, kindFields); ok {
		c.room = append(c.room[:0], b...)
	} else if err := c.readKept(); err != nil {
		return nil, err
	}
	c.fields, c.hasFields = c.room, true
	return c.fields, nil
}

// readKept reads the fields of kindFields from the message.
func (c *content) readKept() error {
	whole, err := c.headerRange()
	if err != nil {
		return err
	}
	c.filter.Reset(c.section(whole), keptFields, false)
	buf := bytes.NewBuffer(c.room[:0])
	n, err := buf.ReadFrom(io.LimitReader(&c.filter, maxKept+1))
	if err != nil {
		return err
	}
	c.room = buf.Bytes()
	if c.cut = n > maxKept; c.cut {
		c.room = c.room[:maxKept]
	}
	if len(c.room) <= maxFields {
		c.s.box.Cache(c.pos, kindFields, c.room)
	}
	return nil
}

// headerRange is where the message's own header lies, which can be read then.
func (c *content) headerRange() (message.Range, error) {
	if c.tree != nil {
		return c.tree.Parts[0].Header, nil
	}
	if err := c.openHeader(); err != nil {
		return message.Range{}, err
	}
	header, err := c.scanHeader()
	if err != nil || !c.begun || header.Size < int64(c.memory.Size()) {
		return header, err
	}
	if err := c.open(); err != nil { // it goes on
		return message.Range{}, err
	}
	return c.scanHeader()
}

func (c *content) scanHeader() (message.Range, error) {
	t, err := c.headers.ScanHeader(c.section(c.all()))
	if err != nil {
		return message.Range{}, err
	}
	c.top = t
	return t.Parts[0].Header, nil
}

// structure is the message's whole tree.
func (c *content) structure() (*message.Tree, error) {
	if c.tree != nil {
		return c.tree, nil
	}
	if err := c.open(); err != nil {
		return nil, err
	}
	var err error
	c.tree, err = c.whole.Scan(c.section(c.all()))
	return c.tree, err
}

// appendEnvelope appends ENVELOPE. If the structure, and which, is needed as well, and
// will have to be found out, the whole message is read at once.
func (c *content) appendEnvelope(b []byte, structure, extended bool) ([]byte, error) {
	cacheable := !c.s.enabled.utf8 // as for structures
	if cacheable {
		if blob, ok := c.s.box.Cached(c.pos, kindEnvelope); ok {
			return append(b, blob...), nil
		}
	}
	if structure {
		c.expectStructure(extended)
	}
	t, err := c.header()
	if err != nil {
		return b, err
	}
	start := len(b)
	b = t.AppendEnvelope(b, 0, c.s.enabled.utf8)
	if cacheable && len(b)-start <= maxFields {
		c.s.box.Cache(c.pos, kindEnvelope, b[start:])
	}
	return b, nil
}

// appendStructure appends BODYSTRUCTURE, or BODY.
func (c *content) appendStructure(b []byte, extended bool) ([]byte, error) {
	kind := structureKind(extended)
	cacheable := !c.s.enabled.utf8 // UTF-8 in quoted strings is not for everybody
	if cacheable {
		if blob, ok := c.s.box.Cached(c.pos, kind); ok {
			return append(b, blob...), nil
		}
	}
	t, err := c.structure()
	if err != nil {
		return b, err
	}
	start := len(b)
	b = t.AppendStructure(b, extended, c.s.enabled.utf8)
	if cacheable {
		c.s.box.Cache(c.pos, kind, b[start:])
	}
	return b, nil
}

// expectStructure reads the whole message at once if its structure will have to be
// found out, so that its header is not read by itself before.
func (c *content) expectStructure(extended bool) {
	if _, ok := c.s.box.Cached(c.pos, structureKind(extended)); !ok {
		c.structure() // an error comes back from who needs it
	}
}

func structureKind(extended bool) mailbox.Kind {
	if extended {
		return kindStructure
	}
	return kindBody
}
