//go:build linux && amd64

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The promises, in the words of the durability contract: what was acknowledged
// is there; what can be seen is whole; nothing is there more often than allowed.

// message is mail with LF line ends that is known by its every byte.
func message(n, size int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: <sender@example.net>\nTo: <al@crash.test>\nSubject: message %d\n\n", n)
	for line := 0; b.Len() < size; line++ {
		fmt.Fprintf(&b, "%d.%d: a line that is like no other line of any message\n", n, line)
	}
	return b.Bytes()
}

// visible are the files in the given directories, by path.
func visible(dirs ...string) (map[string][]byte, error) {
	m := map[string][]byte{}
	for _, d := range dirs {
		es, err := os.ReadDir(d)
		if os.IsNotExist(err) {
			continue // a box that is made on demand
		}
		if err != nil {
			return nil, err
		}
		for _, e := range es {
			path := filepath.Join(d, e.Name())
			if m[path], err = os.ReadFile(path); err != nil {
				return nil, err
			}
		}
	}
	return m, nil
}

// copies counts which of the messages a mailbox shows. It is an error if a file
// is not one of them, whole, below our header lines.
func copies(box string, messages ...[]byte) ([]int, error) {
	shown, err := visible(filepath.Join(box, "new"), filepath.Join(box, "cur"))
	if err != nil {
		return nil, err
	}
	n := make([]int, len(messages))
	for path, text := range shown {
		which := -1
		for i, m := range messages {
			if whole(text, m) {
				which = i
			}
		}
		if which < 0 {
			return n, fmt.Errorf("torn: %s has %d bytes that are no message", path, len(text))
		}
		if strings.HasPrefix(filepath.Base(path), ".") {
			return n, fmt.Errorf("odd name: %s", path)
		}
		n[which]++
	}
	return n, nil
}

// whole says whether text is the message below whole lines of ours.
func whole(text, message []byte) bool {
	if !bytes.HasSuffix(text, message) {
		return false
	}
	ours := text[:len(text)-len(message)]
	return len(ours) == 0 || ours[len(ours)-1] == '\n'
}

// within is the rule for one message: at least one copy if it was acknowledged,
// at most one in any case.
func within(what string, n int, acknowledged bool) error {
	switch {
	case acknowledged && n == 0:
		return fmt.Errorf("LOST: %s was acknowledged and is not there", what)
	case n > 1:
		return fmt.Errorf("twice: %s is there %d times", what, n)
	}
	return nil
}

// oneOf is the rule for exit codes: callers act on them, so none may come that
// is not documented. A signal is none.
func oneOf(o outcome, codes ...int) error {
	if o.code < 0 {
		return nil
	}
	for _, c := range codes {
		if o.code == c {
			return nil
		}
	}
	return fmt.Errorf("exit %d is not documented", o.code)
}

// emptyDir makes dir, or empties it.
func emptyDir(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.MkdirAll(dir, 0o700)
}

func makeMaildir(box string) error {
	for _, d := range []string{"tmp", "new", "cur"} {
		if err := os.MkdirAll(filepath.Join(box, d), 0o700); err != nil {
			return err
		}
	}
	return nil
}
