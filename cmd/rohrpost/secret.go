package main

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// maxPassword bounds a password, in bytes: login, password and challenge share
// the 512 bytes of a checkpassword record.
const maxPassword = 256

// generate is a password of 100 random bits in letters that are hard to
// confuse, in groups that are easy to read out.
func generate() string {
	const letters = "abcdefghijkmnpqrstuvwxyz23456789" // 32: no l, no o, no 0, no 1
	var b [20]byte
	rand.Read(b[:])
	var s strings.Builder
	for i, c := range b {
		if i > 0 && i%5 == 0 {
			s.WriteByte('-')
		}
		s.WriteByte(letters[c%32])
	}
	return s.String()
}

// readPassword asks for a password twice if in is a terminal, without echo, and
// reads one line otherwise.
func readPassword(in *os.File, prompt io.Writer, name string) (string, error) {
	r := bufio.NewReader(io.LimitReader(in, 4*maxPassword))
	saved, err := unix.IoctlGetTermios(int(in.Fd()), unix.TCGETS)
	if err != nil {
		return passwordLine(r)
	}
	silent := *saved
	silent.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(int(in.Fd()), unix.TCSETSF, &silent); err != nil {
		return "", fmt.Errorf("switch echo off: %w", err)
	}
	defer restoreTerminal(int(in.Fd()), saved)()
	fmt.Fprintf(prompt, "Password for %s: ", name)
	first, err := passwordLine(r)
	fmt.Fprintln(prompt)
	if err != nil {
		return "", err
	}
	fmt.Fprint(prompt, "Once more: ")
	second, err := passwordLine(r)
	fmt.Fprintln(prompt)
	if err == nil && first != second {
		err = errors.New("the two passwords differ; nothing was changed")
	}
	return first, err
}

// passwordLine reads one line and refuses what could never log in.
func passwordLine(r *bufio.Reader) (string, error) {
	s, err := r.ReadString('\n')
	if err != nil && (err != io.EOF || s == "") {
		return "", fmt.Errorf("read password: %w", err)
	}
	s = strings.TrimRight(s, "\r\n")
	switch {
	case s == "":
		return "", errors.New("the password is empty; --generate makes one")
	case len(s) > maxPassword:
		return "", fmt.Errorf("the password is longer than %d bytes", maxPassword)
	case strings.ContainsRune(s, 0):
		return "", errors.New("the password contains a NUL byte")
	}
	return s, nil
}
