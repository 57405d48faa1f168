package maildir

import "io"

// Replace makes a file beside the messages anew: others see the old one or the
// new one, never a part. Nothing is synced, so it is for files that can be
// derived again and whose reader notices if a power cut has damaged them. What
// write returns is returned, and then nothing has changed.
func (m *Maildir) Replace(name string, write func(io.Writer) error) error {
	tmp, err := m.namer.Next()
	if err != nil {
		return err
	}
	f, err := m.fs.Create(m.tmp, tmp)
	if err != nil {
		return err
	}
	err = write(f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = m.fs.Rename(m.tmp, tmp, m.dir, name)
	}
	if err != nil {
		m.fs.Remove(m.tmp, tmp) // debris at worst
	}
	return err
}
