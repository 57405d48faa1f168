// Package control reads the configuration: a directory of small files, one
// value or one table each, in qmail's names where the meaning is the same
// (rohrpost-control(5)). The environment overrides a file, a flag overrides
// both. A bad file is an Error with file, line and remedy.
package control

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// DefaultDir is where the configuration lies if neither --etc nor ROHRPOST_ETC
// says otherwise.
const DefaultDir = "/etc/rohrpost"

// maxFile bounds a control file, in bytes. users(5) and aliases(5) are tables
// of their own and may be larger.
const maxFile = 1 << 20

// Error is a configuration that cannot be used. Line is 0 if it is the file as
// a whole.
type Error struct {
	File   string
	Line   int
	What   string
	Remedy string
}

func (e *Error) Error() string {
	s := e.File
	if e.Line > 0 {
		s += ":" + strconv.Itoa(e.Line)
	}
	s += ": " + e.What
	if e.Remedy != "" {
		s += "; " + e.Remedy
	}
	return s
}

// Wrong reports whether an error says that the configuration is wrong. Others,
// as when there is no descriptor left to read it, pass by themselves.
func Wrong(err error) bool {
	var e *Error
	return errors.As(err, &e)
}

// Dir is a configuration directory. It need not exist: every file has a
// documented default.
type Dir struct {
	Path string
	// Named says that somebody asked for this directory. Then it must exist.
	Named bool
}

// Open returns the configuration directory: flag, then ROHRPOST_ETC, then
// DefaultDir.
func Open(flag string) Dir {
	if flag == "" {
		flag = os.Getenv("ROHRPOST_ETC")
	}
	if flag == "" {
		return Dir{Path: DefaultDir}
	}
	return Dir{Path: flag, Named: true}
}

// Exists is an error if the directory was named and is not there. With the
// defaults in its place, everybody but localhost would be a stranger.
func (d Dir) Exists() error {
	if _, err := os.Stat(d.Path); d.Named && errors.Is(err, fs.ErrNotExist) {
		return &Error{File: d.Path, What: "does not exist", Remedy: "mend --etc or ROHRPOST_ETC, or make the directory"}
	}
	return nil
}

// Within adds the directory to an error that does not name it: which
// configuration led there is the first thing that a reader asks.
func (d Dir) Within(err error) error {
	if err == nil || strings.Contains(err.Error(), d.Path) {
		return err
	}
	return fmt.Errorf("%w (configuration in %s)", err, d.Path)
}

// File is the path of a file in the directory.
func (d Dir) File(name string) string { return filepath.Join(d.Path, name) }

// Line is one line of a table, without comment and surrounding blanks.
type Line struct {
	File string
	No   int // from 1
	Text string
}

// Errorf is an Error at this line.
func (l Line) Errorf(remedy, format string, args ...any) error {
	return &Error{File: l.File, Line: l.No, What: fmt.Sprintf(format, args...), Remedy: remedy}
}

// Lines is a table. Lines that begin with # are comments; blank lines and
// blanks at either end are dropped. ok is false if there is no such file.
func (d Dir) Lines(name string) (lines []Line, ok bool, err error) {
	path := d.File(name)
	b, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	for i, t := range strings.Split(string(b), "\n") {
		t = strings.TrimSpace(t)
		if t == "" || t[0] == '#' {
			continue
		}
		lines = append(lines, Line{File: path, No: i + 1, Text: t})
	}
	return lines, true, nil
}

func readFile(path string) ([]byte, error) {
	f, err := openRegular(path, false)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, &Error{File: path, What: "cannot be read: " + err.Error()}
	case len(b) > maxFile:
		return nil, &Error{File: path, What: "is larger than 1 MiB", Remedy: "is it the right file?"}
	}
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return nil, &Error{File: path, Line: 1 + bytes.Count(b[:i], []byte("\n")),
			What: "contains a NUL byte", Remedy: "write it anew as plain text"}
	}
	return b, nil
}

// Value is a file of one value: its first line. An absent or empty file gives
// def.
func (d Dir) Value(name, def string) (string, error) {
	v, err := d.value(name)
	if err != nil || v.Text == "" {
		return def, err
	}
	return v.Text, nil
}

func (d Dir) value(name string) (Line, error) {
	lines, _, err := d.Lines(name)
	if err != nil || len(lines) == 0 {
		return Line{}, err
	}
	if len(lines) > 1 {
		return Line{}, lines[1].Errorf("keep one line", "%s is one value, not a table", name)
	}
	return lines[0], nil
}

// Setting is one value with its overrides: flag (if not empty), the environment
// variable env (if set), the file name, def.
func (d Dir) Setting(flag, env, name, def string) (string, error) {
	if flag != "" {
		return flag, nil
	}
	if env != "" {
		if v, ok := os.LookupEnv(env); ok {
			return v, nil
		}
	}
	return d.Value(name, def)
}

// Int is a file of one number, at least 0.
func (d Dir) Int(env, name string, def int64) (int64, error) {
	if env != "" {
		if v, ok := os.LookupEnv(env); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
			if err != nil || n < 0 {
				return 0, &Error{File: "environment " + env, What: fmt.Sprintf("%q is not a number", v), Remedy: "give a whole number, 0 or more"}
			}
			return n, nil
		}
	}
	v, err := d.value(name)
	if err != nil {
		return 0, err
	}
	if v.Text == "" {
		return def, nil
	}
	n, err := strconv.ParseInt(v.Text, 10, 64)
	if err != nil || n < 0 {
		return 0, v.Errorf("give a whole number, 0 or more", "%q is not a number", v.Text)
	}
	return n, nil
}

// Seconds is a file of one duration in whole seconds, as qmail's are.
func (d Dir) Seconds(env, name string, def time.Duration) (time.Duration, error) {
	n, err := d.Int(env, name, int64(def/time.Second))
	if err == nil && n > int64(100*365*24*time.Hour/time.Second) {
		return 0, &Error{File: d.File(name), What: "is more than a hundred years", Remedy: "the unit is seconds"}
	}
	return time.Duration(n) * time.Second, err
}

// Me is this host's name: the file me, else the system's host name.
func (d Dir) Me() (string, error) {
	me, err := d.Value("me", "")
	if err != nil || me != "" {
		return strings.ToLower(me), err
	}
	h, err := os.Hostname()
	if err != nil || h == "" {
		return "localhost", nil
	}
	return strings.ToLower(h), nil
}
