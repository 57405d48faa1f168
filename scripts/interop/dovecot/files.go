package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// deliver delivers messages to a folder.
func (w *worker) deliver(folder string, n int) error {
	to := "joe"
	if folder != inbox {
		to += "+" + folder
	}
	for range n {
		entries, err := os.ReadDir(filepath.Join(w.folder(folder), "cur"))
		if err != nil || len(entries) > w.full {
			return err
		}
		id := nextID(w.name)
		w.ledger.born(folder, id, 1)
		c := w.command(w.dir, w.path("deliver"), "-a", to+"@example.org", w.maildir())
		c.Stdin = strings.NewReader(strings.ReplaceAll(message(id), "\r\n", "\n"))
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("deliver: %w\n%s", err, out)
		}
	}
	return nil
}

// read does what mail readers do that work on the files: mutt takes new messages to
// cur and changes flags by a rename, without a lock; mbsync puts a field of its own
// into names. Dovecot makes another message of the latter if it is the first to see
// it, so that it is done by turns only.
func (w *worker) read(folder string, n int) error {
	dir := w.folder(folder)
	for range n {
		sub := []string{"new", "cur"}[w.r.IntN(2)]
		entries, err := os.ReadDir(filepath.Join(dir, sub))
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			continue
		}
		name := entries[w.r.IntN(len(entries))].Name()
		if !w.together && w.r.IntN(4) == 0 {
			err = w.mark(dir, sub, name)
		} else {
			err = w.answer(folder, sub, name)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// mark puts the field of mbsync into a name, of a message that is nowhere else:
// Dovecot keeps names when it copies, and would put it beside itself.
func (w *worker) mark(dir, sub, name string) error {
	id, err := subject(filepath.Join(dir, sub, name))
	if err != nil {
		return err
	}
	base, info, _ := strings.Cut(name, ":2,")
	if strings.Contains(base, ",U=") || w.ledger.copies(id) > 1 {
		return nil
	}
	return os.Rename(filepath.Join(dir, sub, name), filepath.Join(dir, "cur", base+",U=7:2,"+info))
}

// answer marks a message as answered, or no longer so; nobody else does either. One
// that has no UID yet is only taken to cur.
func (w *worker) answer(folder, sub, name string) error {
	dir := w.folder(folder)
	at, err := w.slotOf(folder, filepath.Join(dir, sub, name))
	if err != nil {
		return err
	}
	base, info, _ := strings.Cut(name, ":2,")
	on := !strings.Contains(info, "R")
	if at.uid == 0 {
		return os.Rename(filepath.Join(dir, sub, name), filepath.Join(dir, "cur", base+":2,"+info))
	}
	if info = strings.ReplaceAll(info, "R", ""); on {
		info = inOrder(info + "R")
	}
	if err := os.Rename(filepath.Join(dir, sub, name), filepath.Join(dir, "cur", base+":2,"+info)); err != nil {
		return err
	}
	w.ledger.flagged(folder, []uint32{at.uid}, `\Answered`, on, nil)
	return nil
}

// slotOf is where the message in a file is; its UID is 0 if more than one is it, or
// none that was told.
func (w *worker) slotOf(folder, path string) (slot, error) {
	id, err := subject(path)
	if err != nil {
		return slot{}, err
	}
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	t := title{folder, id}
	if w.ledger.births[t] != 1 || len(w.ledger.uids[t]) != 1 {
		return slot{}, nil
	}
	return slot{folder, w.ledger.uids[t][0]}, nil
}

func subject(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	for in := bufio.NewScanner(f); in.Scan(); {
		if id, ok := strings.CutPrefix(in.Text(), "Subject: "); ok {
			return id, nil
		}
	}
	return "", fmt.Errorf("no subject in %s", path)
}

// inOrder is flags as they are in a name.
func inOrder(flags string) string {
	b := []byte(flags)
	slices.Sort(b)
	return string(b)
}
