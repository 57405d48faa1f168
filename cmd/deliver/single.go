package main

import (
	"io"
	"os"

	"rohrpost/maildir/disk"
)

// firstPiece is how much of a message is read before anything is written, in
// bytes. Nearly every message is smaller and so costs one write; and the header
// lines that the calling MTA put on top are known before ours are written.
const firstPiece = 64 << 10

// maxDrain is how much of a refused message is still read, in bytes, so that a
// caller that writes it all before it looks at our exit code can do so.
const maxDrain = 64 << 20

// single delivers the one message on standard input.
type single struct {
	fs   disk.FS
	in   io.Reader
	env  envelope
	size int64 // announced by the caller, or -1
	to   place
	quit interrupt

	quota string  // of the Maildir, as in users(5), or ""
	over  verdict // on a message for which there is no room
}

// deliverOne is deliver without --lmtp.
func deliverOne(o options) error {
	env := envelopeOf(o, os.LookupEnv)
	to, err := placeOf(env, o, os.LookupEnv)
	if err != nil {
		return err
	}
	s := &single{fs: disk.OS, env: env, size: o.size, to: to, quota: o.quota, over: o.over()}
	s.in = &input{fd: 0, beforeWait: s.quit.watch}
	err = checkInput(0)
	if o.dryRun {
		return s.explain(os.Stdout, err == nil)
	}
	if err != nil {
		return err
	}
	if err = s.deliver(); err != nil {
		io.CopyN(io.Discard, s.in, maxDrain)
	}
	return err
}

// deliver stores the message. It is durable when the error is nil.
func (s *single) deliver() error {
	m := newIncoming(s.in, s.env)
	if err := m.begin(); err != nil {
		return err
	}
	if !m.ended {
		s.quit.watch()
	}
	t, err := s.to.open(s.fs)
	if err != nil {
		return err
	}
	defer t.close()
	if err := s.quit.begin(t.box); err != nil {
		return err
	}
	if err := s.store(m); err != nil {
		s.quit.abort()
		return err
	}
	d := s.quit.commit()
	if _, err = commit(d, t.inbox, s.quota, s.over); err != nil {
		d.Abort()
	}
	return err
}

// store writes the message into tmp and refuses what it gives reason to refuse.
func (s *single) store(m *incoming) error {
	if err := m.writeTo(&s.quit); err != nil {
		return err
	}
	return s.check(m)
}

// check judges a message that has been read to its end.
func (s *single) check(m *incoming) error {
	if s.size >= 0 && m.size != s.size {
		return incomplete.because("standard input held %d bytes, --size says %d", m.size, s.size)
	}
	return m.trace.refusal(0)
}
