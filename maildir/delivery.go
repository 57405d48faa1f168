package maildir

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"rohrpost/maildir/disk"
)

// tries is how often a name that is taken is replaced by another before the
// delivery fails: with 64 random bits in it, being taken is no accident.
const tries = 3

// Delivery is one message on its way into a Maildir. End it with Commit or
// Abort; after an error of Write only Abort is left.
type Delivery struct {
	m     *Maildir
	file  disk.File
	tmp   string // its name in tmp
	base  string // of its name in new
	given bool   // base was given: one message, however often it is tried

	count Counter
	err   error // the first of Write
}

// Begin opens a file in tmp for a message. If base is empty, the message gets a
// new unique name. Otherwise base, at most 150 bytes without / , : and control
// bytes and not beginning with a dot, says which message this is: a queue that
// hands the same message over twice names it alike, and finds it once.
func (m *Maildir) Begin(base string) (*Delivery, error) {
	if base != "" && !validBase(base) {
		return nil, fmt.Errorf("deliver to %s: %q cannot be the name of a message", m.Path(), base)
	}
	d := &Delivery{m: m, base: base, given: base != ""}
	for range tries {
		name, err := m.namer.Next()
		if err != nil {
			return nil, err
		}
		d.file, err = m.fs.Create(m.tmp, name)
		if err == nil {
			d.tmp = name
			if !d.given {
				d.base = name
			}
			return d, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("deliver to %s: %d names in a row were taken", m.Path(), tries)
}

// validBase reports whether base, as part of a name, is parsed as Base again.
func validBase(base string) bool {
	if base == "" || len(base) > maxBase || base[0] == '.' || base[0] == '~' || base[0] == '#' {
		return false
	}
	for _, c := range []byte(base) {
		if c <= ' ' || c >= 0x7f || c == '/' || c == ',' || c == ':' {
			return false
		}
	}
	return base[len(base)-1] != '~'
}

// Write appends to the message. It stores p byte for byte.
func (d *Delivery) Write(p []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	n, err := d.file.Write(p)
	d.count.Add(p[:n])
	d.err = err
	return n, err
}

// Size is what was written so far, in bytes as stored and in bytes as on the
// wire, where every line ends in CRLF.
func (d *Delivery) Size() (stored, wire int64) { return d.count.Stored, d.count.Wire }

// Commit publishes the message in new and returns its name there. When it
// returns without error, the message survives a power cut. The order:
//
//  1. sync the file, and close it
//  2. link it from tmp into new, under its base and sizes
//  3. sync new
//  4. remove the name in tmp
//
// If it fails, the caller may try again with a new Delivery. A failure after
// step 2 takes nothing back, so a message without a given base may then be
// there twice. If the base was given and a file of that name is in new, an
// earlier try got so far, and this one only makes sure of step 3.
func (d *Delivery) Commit() (name string, err error) {
	if err := d.finish(); err != nil {
		return "", err
	}
	name, err = d.publish()
	if err != nil {
		d.Abort()
	}
	return name, err
}

// finish is step 1. After an error the delivery is aborted.
func (d *Delivery) finish() error {
	err := d.err
	if err == nil {
		err = d.file.Sync()
		if cerr := d.file.Close(); err == nil {
			err = cerr // EDQUOT and EIO may come as late as this, over NFS
		}
		d.file = nil
	}
	if err != nil {
		d.Abort()
	}
	return err
}

// publish is the steps from 2 on.
func (d *Delivery) publish() (string, error) {
	for range tries {
		name := d.name()
		err := disk.Publish(d.m.fs, d.m.tmp, d.tmp, d.m.new, name)
		if !errors.Is(err, fs.ErrExist) {
			if err == nil {
				d.tmp = ""
			}
			return name, err
		}
		if d.given {
			if err := d.m.fs.SyncDir(d.m.new); err != nil {
				return "", err
			}
			d.Abort()
			return name, nil
		}
		if d.base, err = d.m.namer.Next(); err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("deliver to %s: %d names in a row were taken", d.m.Path(), tries)
}

func (d *Delivery) name() string {
	b := make([]byte, 0, 255)
	b = append(b, d.base...)
	b = append(b, ",S="...)
	b = strconv.AppendInt(b, d.count.Stored, 10)
	b = append(b, ",W="...)
	b = strconv.AppendInt(b, d.count.Wire, 10)
	return string(b)
}

// Abort gives the message up and removes what is in tmp. After Commit it does
// nothing.
func (d *Delivery) Abort() {
	if d.file != nil {
		d.file.Close()
		d.file = nil
	}
	if d.tmp != "" {
		d.m.fs.Remove(d.m.tmp, d.tmp) // debris at worst, for Sweep
		d.tmp = ""
	}
}

// Counter counts the bytes of a message as it streams by.
type Counter struct {
	Stored int64 // bytes as they are
	Wire   int64 // bytes if every LF had a CR before it
	cr     bool  // the last byte was a CR
}

// Add counts the next bytes.
func (c *Counter) Add(p []byte) {
	if len(p) == 0 {
		return
	}
	c.Stored += int64(len(p))
	c.Wire += int64(len(p)) + int64(bareLF(p, c.cr))
	c.cr = p[len(p)-1] == '\r'
}

// bareLF is the number of LF in p without a CR before them; cr says that a CR
// came right before p.
func bareLF(p []byte, cr bool) int {
	n := bytes.Count(p, []byte{'\n'})
	if n == 0 {
		return 0
	}
	if cr && p[0] == '\n' {
		n--
	}
	for {
		i := bytes.IndexByte(p, '\r')
		if i < 0 || i+1 == len(p) {
			return n
		}
		if p[i+1] == '\n' {
			n--
		}
		p = p[i+1:]
	}
}
