package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
)

// place is where a message goes, and who said so.
type place struct {
	maildir part
	ext     part // the folder that is asked for
	follow  bool // the Maildir may be a symbolic link
}

// placeOf finds the Maildir: the argument, then MAILDIR, then HOME.
func placeOf(e envelope, o options, env lookup) (place, error) {
	p := place{ext: e.ext, follow: o.follow}
	if o.maildir != "" {
		p.maildir = part{o.maildir, "argument"}
		return p, nil
	}
	if v, _ := env("MAILDIR"); v != "" {
		p.maildir = part{v, "MAILDIR"}
		return p, nil
	}
	if v, _ := env("HOME"); v != "" {
		p.maildir = part{filepath.Join(v, "Maildir"), "HOME"}
		return p, nil
	}
	return p, misconfigured.because("no Maildir is named and HOME is not set; give the Maildir as argument")
}

// target is an open place.
type target struct {
	inbox  *maildir.Maildir
	box    *maildir.Maildir // where the message goes: inbox, or a folder of it
	folder string           // "" for the inbox
	by     string           // what chose the folder, or why none was chosen
}

func (t *target) close() {
	if t.box != t.inbox {
		t.box.Close()
	}
	t.inbox.Close()
}

// name is the folder's name for people.
func (t *target) name() string {
	if t.folder == "" {
		return "INBOX"
	}
	return t.folder
}

// open opens the Maildir, making it if its home is there, and the folder, if
// there is one.
func (p place) open(f disk.FS) (*target, error) { return p.find(f, maildir.Create) }

// find is open with another way to open the Maildir. It refuses a home or a
// Maildir that others can write to: they could read, replace or remove the
// mail.
func (p place) find(f disk.FS, open func(string, disk.FS) (*maildir.Maildir, error)) (*target, error) {
	path := filepath.Clean(p.maildir.value)
	if err := checkHome(filepath.Dir(path)); err != nil {
		return nil, err
	}
	if p.follow && isSymlink(path) {
		open = maildir.OpenFollow
	}
	inbox, err := open(path, f)
	if err != nil {
		return nil, err
	}
	t := &target{inbox: inbox, box: inbox}
	if err = checkMaildir(inbox); err == nil {
		err = t.choose(p.ext)
	}
	if err != nil {
		inbox.Close()
		return nil, err
	}
	return t, nil
}

func isSymlink(path string) bool {
	var st unix.Stat_t
	return unix.Lstat(path, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK
}

// choose takes the folder that the extension names, if it exists. Mail never
// makes a folder, so nobody can fill a Maildir with folders from outside. What
// cannot be a folder's name, a symbolic link or a file in its place means the
// inbox; any other trouble is temporary.
func (t *target) choose(ext part) error {
	if ext.value == "" {
		return nil
	}
	folder, name, err := findFolder(t.inbox, ext.value)
	switch {
	case err == nil:
		t.box, t.folder, t.by = folder, name, ext.by
		if err := checkMaildir(folder); err != nil {
			folder.Close()
			return err
		}
	case noFolder(err):
		t.by = ext.by + " names no folder"
	default:
		return err
	}
	return nil
}

// noFolder reports whether err says that there is no such folder, rather than
// that it cannot be opened now.
func noFolder(err error) bool {
	for _, e := range []error{fs.ErrNotExist, maildir.ErrFolderName, unix.ENOTDIR, unix.ELOOP} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// findFolder opens the folder of this name: the very name first, else the only
// one that differs in the case of its letters, since addresses are written in
// any case.
func findFolder(inbox *maildir.Maildir, ext string) (*maildir.Maildir, string, error) {
	folder, err := inbox.Folder(ext)
	if !errors.Is(err, fs.ErrNotExist) {
		return folder, ext, err
	}
	names, listErr := inbox.Folders()
	if listErr != nil {
		return nil, "", listErr
	}
	found := ""
	for _, name := range names {
		if strings.EqualFold(name, ext) {
			if found != "" {
				return nil, "", err
			}
			found = name
		}
	}
	if found == "" {
		return nil, "", err
	}
	folder, err = inbox.Folder(found)
	return folder, found, err
}

// checkHome refuses the directory above a Maildir if others can put another
// Maildir in its place. In one with the sticky bit they cannot.
func checkHome(path string) error {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return misconfigured.because("home %s: %w; make it, or name another Maildir", path, err)
	}
	if st.Mode&unix.S_ISVTX != 0 {
		return nil
	}
	return checkModes("home", path, st, 0)
}

// checkMaildir refuses a Maildir that others can write to, or that is not ours:
// its owner could not read what we store.
func checkMaildir(m *maildir.Maildir) error {
	var st unix.Stat_t
	if err := unix.Fstat(m.Dir().Fd(), &st); err != nil {
		return &os.PathError{Op: "stat", Path: m.Path(), Err: err}
	}
	return checkModes("Maildir", m.Path(), st, uint32(os.Geteuid()))
}

// checkModes holds a directory to being writable by its owner alone, who is we
// or the uid also.
func checkModes(what, path string, st unix.Stat_t, also uint32) error {
	euid := uint32(os.Geteuid())
	switch {
	case st.Uid != euid && st.Uid != also:
		return misconfigured.because("%s %s belongs to uid %d, and deliver runs as uid %d; run it as uid %d, or chown %d %s",
			what, path, st.Uid, euid, st.Uid, euid, path)
	case st.Mode&0o022 != 0:
		return misconfigured.because("%s %s is writable by others (mode %04o); chmod go-w %s", what, path, st.Mode&0o7777, path)
	}
	return nil
}
