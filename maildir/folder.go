package maildir

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"rohrpost/maildir/disk"
)

// Folders as Maildir++ has them: beside new, cur and tmp of the inbox lies a
// directory for each, itself a Maildir, whose name is a dot and the levels of
// the folder's name with dots between them, in modified UTF-7. All folders lie
// side by side, so ".Lists.golang" may exist without ".Lists".

// Separator stands between the levels of a folder's name.
const Separator = "."

// markFile tells deliveries by other programs that a Maildir is a folder, whose
// quota file lies one directory up.
const markFile = "maildirfolder"

// maxName is the longest name of a directory entry, in bytes.
const maxName = 255

// ErrFolderName is the error for a name that no folder can have.
var ErrFolderName = errors.New("not a folder name")

// CheckFolderName says why no folder can have this name: nil, or an error that
// wraps ErrFolderName. The name is UTF-8 with dots between its levels, each at
// least one character; without slash and control characters; at most 254 bytes in
// modified UTF-7. The inbox has none, only children: INBOX.a is allowed, and is
// another folder than a.
func CheckFolderName(name string) error {
	_, err := folderDir(name)
	return err
}

// folderDir is the name of the directory for a folder. It refuses whatever
// could lead out of the Maildir, or be a second name of another folder.
func folderDir(name string) (string, error) {
	bad := func(why string) (string, error) {
		return "", fmt.Errorf("%q: %w: %s", name, ErrFolderName, why)
	}
	if !utf8.ValidString(name) {
		return bad("not UTF-8")
	}
	if strings.ContainsFunc(name, func(r rune) bool { return r == '/' || unicode.IsControl(r) }) {
		return bad("slash or control character")
	}
	if name[:min(1, len(name))] == "~" {
		return bad("begins with ~")
	}
	levels := strings.Split(name, Separator)
	if slices.Contains(levels, "") {
		return bad("empty level")
	}
	if strings.EqualFold(levels[0], "INBOX") && (len(levels) == 1 || levels[0] != "INBOX") {
		return bad("INBOX is the Maildir itself")
	}
	for i, level := range levels {
		levels[i] = EncodeUTF7(level)
	}
	dir := Separator + strings.Join(levels, Separator)
	if len(dir) > maxName {
		return bad("longer than 255 bytes on disk")
	}
	return dir, nil
}

// folderName is the name of the folder in a directory, if it is one.
func folderName(dir string) (name string, ok bool) {
	if len(dir) < 2 || dir[0] != Separator[0] {
		return "", false
	}
	levels := strings.Split(dir[1:], Separator)
	for i, level := range levels {
		decoded, err := DecodeUTF7(level)
		if err != nil {
			return "", false
		}
		levels[i] = decoded
	}
	name = strings.Join(levels, Separator)
	again, err := folderDir(name)
	return name, err == nil && again == dir
}

// Folder opens a folder. Name is UTF-8 with dots between its levels. The error
// wraps ErrFolderName for a name that no folder can have, and fs.ErrNotExist if
// there is none. The folder is closed by itself, not with m.
func (m *Maildir) Folder(name string) (*Maildir, error) {
	sub, err := folderDir(name)
	if err != nil {
		return nil, err
	}
	dir, err := m.dir.OpenDir(sub)
	if err != nil {
		return nil, openError(m.Path()+"/"+sub, err)
	}
	return m.openFolder(dir)
}

func (m *Maildir) openFolder(dir *disk.Dir) (*Maildir, error) {
	f, err := open(dir, m.fs)
	if err == nil {
		f.namer, f.folder = m.namer, true
	}
	return f, err
}

// CreateFolder opens a folder, making it if it does not exist. What it makes
// survives a power cut once it returns; the order is that of Create.
func (m *Maildir) CreateFolder(name string) (*Maildir, error) {
	f, err := m.Folder(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	sub, err := folderDir(name)
	if err != nil {
		return nil, err
	}
	if err := m.fs.Mkdir(m.dir, sub); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	if err := m.fs.SyncDir(m.dir); err != nil {
		return nil, err
	}
	dir, err := m.dir.OpenDir(sub)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(mark(dir, m.fs), furnish(dir, m.fs)); err != nil {
		dir.Close()
		return nil, fmt.Errorf("make folder %q in %s: %w", name, m.Path(), err)
	}
	return m.openFolder(dir)
}

// mark makes the empty file that says that dir is a folder.
func mark(dir *disk.Dir, f disk.FS) error {
	file, err := f.Create(dir, markFile)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return file.Close()
}

// Folders is the names of all folders, sorted. Directories that are no Maildir,
// symbolic links, and names that are not in canonical form are left out.
func (m *Maildir) Folders() ([]string, error) {
	var dirs []string
	err := m.dir.Names(func(name []byte, _ uint64, typ byte) bool {
		if name[0] == Separator[0] && (typ == unix.DT_DIR || typ == unix.DT_UNKNOWN && m.isDir(string(name))) {
			dirs = append(dirs, string(name))
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, dir := range dirs {
		if name, ok := folderName(dir); ok && m.isDir(dir+"/cur") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// isDir reports whether there is a directory of that name. A folder has cur if it
// is whole: that is made last.
func (m *Maildir) isDir(name string) bool {
	st, err := m.dir.Stat(name)
	return err == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR
}
