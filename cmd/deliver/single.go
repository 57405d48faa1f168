package main

import (
	"io"
	"os"

	"golang.org/x/sys/unix"

	"rohrpost/maildir/disk"
	"rohrpost/protocol/ucspi"
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
}

// deliverOne is deliver without --lmtp.
func deliverOne(o options, arg string) error {
	env := envelopeOf(o, os.LookupEnv)
	to, err := placeOf(arg, env, o, os.LookupEnv)
	if err != nil {
		return err
	}
	s := &single{fs: disk.OS, in: ucspi.New(0, 1), env: env, size: o.size, to: to}
	input := checkInput(0)
	if o.dryRun {
		return s.explain(os.Stdout, input == nil)
	}
	if input != nil {
		return input
	}
	s.quit.watch()
	err = s.deliver()
	if err != nil {
		io.CopyN(io.Discard, s.in, maxDrain)
	}
	return err
}

// deliver stores the message. It is durable when the error is nil.
func (s *single) deliver() error {
	t, err := s.to.open(s.fs)
	if err != nil {
		return err
	}
	defer t.close()
	if _, err := s.quit.begin(t.box, ""); err != nil {
		return err
	}
	if err := s.copy(&s.quit); err != nil {
		s.quit.abort()
		return err
	}
	_, err = s.quit.commit()
	return err
}

// copy writes our header lines and the message to w, and refuses what the
// message itself gives reason to refuse.
func (s *single) copy(w io.Writer) error {
	returnPath, deliveredTo := s.env.lines()
	t := newTrace(addressIn(deliveredTo))
	buf := make([]byte, firstPiece)
	n, end, err := fill(s.in, buf)
	if err != nil {
		return err
	}
	t.Write(buf[:n])
	if end {
		t.Close()
	}
	if _, err := w.Write(append(t.prologue(buf[:n], 0, returnPath, deliveredTo), buf[:n]...)); err != nil {
		return err
	}
	size := int64(n)
	for !end {
		if n, end, err = fill(s.in, buf); err != nil {
			return err
		}
		t.Write(buf[:n])
		if _, err := w.Write(buf[:n]); err != nil {
			return err
		}
		size += int64(n)
	}
	t.Close()
	if s.size >= 0 && size != s.size {
		return incomplete.because("standard input held %d bytes, --size says %d", size, s.size)
	}
	return t.refusal(0)
}

// fill reads until buf is full or the message has ended.
func fill(r io.Reader, buf []byte) (n int, end bool, err error) {
	n, err = io.ReadFull(r, buf)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return n, true, nil
	}
	if err != nil {
		err = incomplete.because("read standard input: %w", err)
	}
	return n, false, err
}

// checkInput refuses descriptors that can hold no message: a caller that forgot
// to connect standard input must not be told that its mail is safe.
func checkInput(fd int) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return incomplete.because("standard input: %w", err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFCHR {
		return nil
	}
	if st.Rdev == unix.Mkdev(1, 3) {
		return incomplete.because("standard input is closed or the null device; give the message there, as in: deliver < message")
	}
	if _, err := unix.IoctlGetTermios(fd, unix.TCGETS); err == nil {
		return incomplete.because("standard input is a terminal; give the message there, as in: deliver < message")
	}
	return nil
}
