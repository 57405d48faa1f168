package maildir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"rohrpost/maildir/disk"
)

// Batch is several messages that come into a Maildir together: all of them, or
// after an error none. The order:
//
//  1. write and sync each file in tmp, or take the file of a message elsewhere
//  2. link each into new or cur
//  3. sync both
//  4. remove the names in tmp
//
// An error in step 2 or 3 removes the links made; a crash can leave some of
// them, and the caller has not said yes then.
type Batch struct {
	m       *Maildir
	open    *Delivery // the one being written
	date    time.Time
	flags   Flags
	written []*Delivery // synced files in tmp, in part linked already
	names   []Message   // as linked, or as they shall be
	linked  []bool
	moved   bool // a file of tmp was renamed, for want of hard links
}

// Batch begins a batch of no messages.
func (m *Maildir) Batch() *Batch { return &Batch{m: m} }

// Begin begins the next message. Without flags it will lie in new, else in cur.
// The date is the time of its file; now if it is zero.
func (b *Batch) Begin(flags Flags, date time.Time) error {
	if err := b.finish(); err != nil {
		return err
	}
	d, err := b.m.Begin("")
	if err != nil {
		return err
	}
	b.open, b.flags, b.date = d, flags, date
	return nil
}

// Write appends to the message that was begun last.
func (b *Batch) Write(p []byte) (int, error) { return b.open.Write(p) }

// Size is that of the message that was begun last (Delivery.Size).
func (b *Batch) Size() (stored, wire int64) { return b.open.Size() }

// finish is step 1 for the message that was begun last.
func (b *Batch) finish() error {
	d := b.open
	if d == nil {
		return nil
	}
	b.open = nil
	if !b.date.IsZero() {
		if err := b.m.fs.Touch(b.m.tmp, d.tmp, b.date); err != nil {
			d.Abort()
			return err
		}
	}
	if err := d.finish(); err != nil {
		return err
	}
	b.add(d, d.name(), b.flags)
	return nil
}

// add notes a message that is to be linked, d being nil for one from elsewhere.
func (b *Batch) add(d *Delivery, name string, flags Flags) {
	n := ParseName(name)
	if flags != 0 {
		n = n.WithFlags(flags)
	}
	b.written = append(b.written, d)
	b.names = append(b.names, Message{Name: n, New: flags == 0})
	b.linked = append(b.linked, false)
}

// Copy adds a message of the folder from, with these flags. It gets a second name
// in cur at once, with a base of its own and the ObjectID it has; where there are
// no hard links, its bytes are copied. The error is fs.ErrNotExist or ESTALE if
// the file is not there under this name.
func (b *Batch) Copy(from *Maildir, msg Message, flags Flags) error {
	if err := b.finish(); err != nil {
		return err
	}
	name := Name{Fields: sizeFields(msg.Fields), Info: infoPrefix + flags.String()}
	for range tries {
		name.Base = b.m.namer.NextLike(ObjectID(msg.Base))
		err := b.m.fs.Link(from.sub(msg.New), msg.String(), b.m.cur, name.String())
		switch {
		case err == nil:
			b.add(nil, name.String(), flags)
			b.names[len(b.names)-1].New = false
			b.linked[len(b.linked)-1] = true
			return nil
		case disk.NoHardLinks(err):
			return b.copyBytes(from, msg, name, flags)
		case !errors.Is(err, fs.ErrExist):
			return err
		}
	}
	return fmt.Errorf("copy to %s: %d names in a row were taken", b.m.Path(), tries)
}

// copyBytes adds a message as a file of its own.
func (b *Batch) copyBytes(from *Maildir, msg Message, name Name, flags Flags) error {
	f, err := from.sub(msg.New).Open(msg.String())
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if err := b.Begin(flags, st.ModTime()); err != nil {
		return err
	}
	if _, err := io.Copy(b, f); err != nil {
		return err
	}
	b.open.base = name.Base
	if err := b.finish(); err != nil {
		return err
	}
	last := &b.names[len(b.names)-1]
	last.Name, last.New = last.WithFlags(flags), false
	return nil
}

// sizeFields is S= and W= of the fields of a name. Others are their programs'
// notes on the message where it was.
func sizeFields(fields string) string {
	kept := ""
	for fields != "" {
		end := 1
		for end < len(fields) && fields[end] != ',' {
			end++
		}
		if f := fields[:end]; len(f) > 3 && (f[1] == 'S' || f[1] == 'W') && f[2] == '=' {
			kept += f
		}
		fields = fields[end:]
	}
	return kept
}

// Len is the number of messages that are complete.
func (b *Batch) Len() int { return len(b.names) }

// Commit publishes the messages and returns their names, in order. When it
// returns without error, no power cut loses one of them.
func (b *Batch) Commit() ([]Message, error) {
	err := b.finish()
	for i := 0; err == nil && i < len(b.names); i++ {
		if !b.linked[i] {
			err = b.place(i)
		}
	}
	if err == nil {
		err = b.sync()
	}
	if err != nil {
		b.Abort()
		return nil, err
	}
	for _, d := range b.written {
		if d != nil {
			d.Abort() // the name in tmp
		}
	}
	b.written, b.linked = nil, nil
	return b.names, nil
}

// place is step 2 for one message.
func (b *Batch) place(i int) error {
	d, n := b.written[i], &b.names[i]
	for range tries {
		moved, err := disk.Place(b.m.fs, b.m.tmp, d.tmp, b.m.sub(n.New), n.String())
		if err == nil {
			b.linked[i] = true
			b.moved = b.moved || moved
			return nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
		if n.Base, err = b.m.namer.Next(); err != nil {
			return err
		}
	}
	return fmt.Errorf("append to %s: %d names in a row were taken", b.m.Path(), tries)
}

// sync is step 3.
func (b *Batch) sync() error {
	touched := map[*disk.Dir]bool{}
	for _, n := range b.names {
		touched[b.m.sub(n.New)] = true
	}
	if b.moved {
		touched[b.m.tmp] = true
	}
	for _, d := range []*disk.Dir{b.m.cur, b.m.new, b.m.tmp} {
		if touched[d] {
			if err := b.m.fs.SyncDir(d); err != nil {
				return err
			}
		}
	}
	return nil
}

// Abort gives everything up, also what is linked already. After Commit it does
// nothing.
func (b *Batch) Abort() {
	if b.open != nil {
		b.open.Abort()
		b.open = nil
	}
	for i, linked := range b.linked {
		if linked {
			b.m.fs.Remove(b.m.sub(b.names[i].New), b.names[i].String())
		}
		if d := b.written[i]; d != nil {
			d.Abort()
		}
	}
	b.written, b.linked = nil, nil
}
