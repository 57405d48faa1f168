package maildir

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"rohrpost/maildir/disk"
)

// ErrFolderExists is the error of RenameFolder if the new name of the folder, or
// of one of its children, is taken.
var ErrFolderExists = errors.New("folder exists")

// deletedPrefix begins the name in tmp of a folder that is being removed. There no
// program takes it for a folder, nor for mail.
const deletedPrefix = "rohrpost-deleted."

// maxDepth is how deep directories in a folder are followed to remove them.
const maxDepth = 16

// DeleteFolder removes a folder with all that is in it; its children stay, since
// they lie beside it. A crash leaves the folder whole or gone. When it returns
// without error, no power cut brings it back; leftovers that could not be removed
// are for Sweep. The errors are those of Folder.
//
// The order: move it to tmp; sync where it was; only then remove what is in it.
func (m *Maildir) DeleteFolder(name string) error {
	sub, err := folderDir(name)
	if err != nil {
		return err
	}
	if !m.isDir(sub) {
		return openError(m.Path()+"/"+sub, fs.ErrNotExist)
	}
	unique, err := m.namer.Next()
	if err != nil {
		return err
	}
	err = m.renameDir(sub, m.tmp, deletedPrefix+unique)
	if err == nil {
		err = m.fs.SyncDir(m.dir)
	}
	if err != nil {
		return fmt.Errorf("delete folder %q in %s: %w", name, m.Path(), err)
	}
	removeTree(m.fs, m.tmp, deletedPrefix+unique, maxDepth) // Sweep tries again
	return nil
}

// sweepDeleted removes what DeleteFolder has left.
func (m *Maildir) sweepDeleted() (removed int, err error) {
	var left []string
	err = m.tmp.Names(func(name []byte, _ uint64, _ byte) bool {
		if strings.HasPrefix(string(name), deletedPrefix) {
			left = append(left, string(name))
		}
		return true
	})
	for _, name := range left {
		switch e := removeTree(m.fs, m.tmp, name, maxDepth); {
		case e == nil:
			removed++
		case err == nil:
			err = e
		}
	}
	return removed, err
}

// removeTree removes a directory and what is in it, and follows no symbolic link.
// What vanishes meanwhile is removed by somebody else. It goes on after an error
// and returns the first.
func removeTree(f disk.FS, in *disk.Dir, name string, depth int) error {
	if depth == 0 {
		return fmt.Errorf("%s/%s: directories are nested too deep to remove", in.Path(), name)
	}
	d, err := in.OpenDir(name)
	if vanished(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer d.Close()
	var first error
	for _, entry := range entries(d, &first) {
		err := f.Remove(d, entry)
		if errors.Is(err, unix.EISDIR) || errors.Is(err, unix.EPERM) {
			err = removeTree(f, d, entry, depth-1)
		}
		if first == nil && !vanished(err) {
			first = err
		}
	}
	if err := f.RemoveDir(in, name); first == nil && !vanished(err) {
		first = err
	}
	return first
}

// entries is the names in d, but for . and .. .
func entries(d *disk.Dir, err *error) (names []string) {
	*err = d.Names(func(name []byte, _ uint64, _ byte) bool {
		if s := string(name); s != "." && s != ".." {
			names = append(names, s)
		}
		return true
	})
	return names
}

// RenameFolder gives a folder and all its children new names. A kill leaves each
// of them whole under its old or its new name, and the same call again does the
// rest; a power cut too. When it returns without error, the new names are durable.
// A folder that is only the parent of others need not exist. If one of the new
// names is taken, nothing has changed, and the error is ErrFolderExists; else the
// errors are those of Folder.
//
// The order: children first, so that as long as anything is left to do, the
// folder has its old name and the new one is free.
func (m *Maildir) RenameFolder(old, new string) error {
	moves, err := m.moves(old, new)
	if err != nil {
		return err
	}
	for i, mv := range moves {
		if err := m.renameDir(mv.from, m.dir, mv.to); err != nil {
			for _, done := range slices.Backward(moves[:i]) {
				m.renameDir(done.to, m.dir, done.from) // what was done is undone as far as it can be
			}
			if errors.Is(err, fs.ErrExist) {
				err = ErrFolderExists
			}
			return fmt.Errorf("rename folder %q to %q in %s: %w", old, new, m.Path(), err)
		}
	}
	return m.fs.SyncDir(m.dir)
}

// move is a directory and its new name.
type move struct{ from, to string }

// moves is what RenameFolder has to do, the folder itself last.
func (m *Maildir) moves(old, new string) ([]move, error) {
	from, err := folderDir(old)
	if err != nil {
		return nil, err
	}
	to, err := folderDir(new)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(to, from+Separator) {
		return nil, fmt.Errorf("rename folder %q to %q: %w: a folder cannot become its own child", old, new, ErrFolderName)
	}
	var moves []move
	taken := map[string]bool{}
	err = m.dir.Names(func(name []byte, _ uint64, _ byte) bool {
		dir := string(name)
		taken[dir] = true
		if rest, ok := strings.CutPrefix(dir, from); ok && (rest == "" || rest[:1] == Separator) {
			moves = append(moves, move{dir, to + rest})
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	moves = slices.DeleteFunc(moves, func(mv move) bool { return !m.isDir(mv.from) })
	if len(moves) == 0 {
		return nil, openError(m.Path()+"/"+from, fs.ErrNotExist)
	}
	slices.SortFunc(moves, func(a, b move) int { return strings.Compare(b.from, a.from) })
	for _, mv := range append(moves, move{from, to}) {
		if len(mv.to) > maxName {
			return nil, fmt.Errorf("%q: %w: the child %q would be longer than 255 bytes on disk", new, ErrFolderName, mv.from)
		}
		if taken[mv.to] {
			return nil, fmt.Errorf("rename folder %q to %q: %q: %w", old, new, mv.to, ErrFolderExists)
		}
	}
	return moves, nil
}

// renameDir moves a directory in m without replacing another.
func (m *Maildir) renameDir(old string, to *disk.Dir, new string) error {
	err := m.fs.RenameNew(m.dir, old, to, new)
	if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOSYS) {
		return err
	}
	// NFS knows no such rename. The plain one replaces only an empty directory,
	// which is no folder.
	return m.fs.Rename(m.dir, old, to, new)
}
