package main

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/frame"
)

// The checkpassword interface: where the record is, and how long it may be, in
// bytes.
const (
	recordFd  = 3
	maxRecord = 512
)

// record is what a caller asks.
type record struct{ login, password string }

// readRecord reads login, password and timestamp, each ended by NUL, to the end
// of the file. More may follow and is not used, like the timestamp. A record
// that is too long is a refusal: its password can be no one's. Anything else
// that is not of this form is the caller's misuse.
func readRecord(fd int) (record, error) {
	buf := make([]byte, maxRecord+1)
	n := 0
	for n < len(buf) {
		m, err := unix.Read(fd, buf[n:])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return record{}, frame.Usage(fmt.Errorf("read login and password on descriptor %d: %w; this program is called by others, see rohrpost-checkpw(8)", fd, err))
		}
		if m == 0 {
			break
		}
		n += m
	}
	if n > maxRecord {
		log.Event("refused", "reason", "record is longer than 512 bytes")
		return record{}, refused
	}
	f := bytes.SplitN(buf[:n], []byte{0}, 4)
	if len(f) < 4 {
		return record{}, frame.Usage(errors.New("descriptor 3 does not hold login, password and timestamp, each ended by NUL"))
	}
	return record{string(f[0]), string(f[1])}, nil
}
