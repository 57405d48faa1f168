package queue

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
)

// maxNote bounds a note, in bytes.
const maxNote = 2048

// Note keeps the last reply to a recipient for people and for the final report,
// in place of the one before. It is not synced, and where there is no directory
// for notes, it goes nowhere.
func (q *Queue) Note(e Entry, text string) error {
	if q.notes == nil {
		return nil
	}
	tmp, err := q.namer.Next()
	if err != nil {
		return err
	}
	f, err := q.fs.Create(q.tmp, tmp)
	if err != nil {
		return fmt.Errorf("note: %w", err)
	}
	_, err = f.Write(append([]byte(clean(text)), '\n'))
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = q.fs.Rename(q.tmp, tmp, q.notes, noteName(e))
	}
	if err != nil {
		q.fs.Remove(q.tmp, tmp) // debris at worst
		return fmt.Errorf("note: %w", err)
	}
	return nil
}

// ReadNote is the last reply to a recipient, "" if there is none.
func (q *Queue) ReadNote(e Entry) (string, error) {
	if q.notes == nil {
		return "", nil
	}
	f, err := q.notes.Open(noteName(e))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxNote))
	return clean(string(b)), err
}

// dropNote removes a note, if there is one.
func (q *Queue) dropNote(e Entry) {
	if q.notes != nil {
		q.fs.Remove(q.notes, noteName(e))
	}
}

func noteName(e Entry) string {
	if e.R == 0 {
		return e.ID
	}
	return e.ID + ",R=" + strconv.Itoa(e.R)
}

// clean makes one bounded line of a stranger's text.
func clean(s string) string {
	b := []byte(s[:min(len(s), maxNote)])
	for i, c := range b {
		if c < ' ' || c == 0x7f {
			b[i] = ' '
		}
	}
	for len(b) > 0 && b[len(b)-1] == ' ' {
		b = b[:len(b)-1]
	}
	return string(b)
}
