package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"rohrpost/protocol/message"
	"rohrpost/protocol/smtp"
)

// Bounds of what a filter is told and may say, in bytes.
const (
	maxFilterEnv    = 64 << 10
	maxFilterOutput = 64 << 10
)

// The exit codes of a filter; any other is taken for "later".
const (
	filterAccept = 0
	filterLater  = 75
	filterRefuse = 100
)

// filter holds a message back until the administrator's program has judged it.
// The message waits in a file without a name, which is the program's standard
// input: the program may read it at any pace, or not at all.
type filter struct {
	sink // where the message goes if it is accepted
	b    *backend
	in   *incoming
	file *os.File
}

func newFilter(b *backend, in *incoming, next sink) (*filter, error) {
	f, err := os.CreateTemp("", "smtpd-filter-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	return &filter{sink: next, b: b, in: in, file: f}, nil
}

func (f *filter) Write(p []byte) (int, error) { return f.file.Write(p) }

func (f *filter) Abort() {
	f.file.Close()
	f.sink.Abort()
}

// Commit asks the program and passes the message on with the header lines that
// it wrote on top.
func (f *filter) Commit() smtp.Reply {
	defer f.file.Close()
	header, r := f.ask()
	if r.Code != 0 {
		f.sink.Abort()
		return r
	}
	if err := f.pass(header); err != nil {
		f.b.log.Event("queue-failed", "q", f.ID(), "err", err)
		f.sink.Abort()
		return replyNoStorage
	}
	return f.sink.Commit()
}

func (f *filter) pass(header []byte) error {
	if _, err := f.sink.Write(header); err != nil {
		return err
	}
	if _, err := f.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.Copy(onlyWriter{f.sink}, f.file)
	return err
}

// onlyWriter hides that a sink is more.
type onlyWriter struct{ io.Writer }

// ask runs the program. The zero Reply accepts the message with these lines.
func (f *filter) ask() (header []byte, r smtp.Reply) {
	code, out, err := f.run()
	if err == nil && code == filterAccept {
		if header, err = headerLines(out); err == nil {
			return header, smtp.Reply{}
		}
	}
	switch {
	case err != nil:
		f.b.log.Event("filter-failed", "q", f.ID(), "err", err)
		return nil, replyLater
	case code == filterRefuse:
		return nil, replyRefused
	case code != filterLater:
		f.b.log.Event("filter-failed", "q", f.ID(), "code", code)
	}
	return nil, replyLater
}

func (f *filter) run() (code int, out []byte, err error) {
	if _, err := f.file.Seek(0, io.SeekStart); err != nil {
		return 0, nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return 0, nil, err
	}
	defer r.Close()
	c, err := startChild(f.b.set.filter, f.b.environ(f.in.mail, f.envelope()...), f.b.set.childLimit, f.file, w)
	w.Close()
	if err != nil {
		return 0, nil, err
	}
	// What outlives the program and keeps its output open is not waited for.
	r.SetReadDeadline(time.Now().Add(f.b.set.childLimit))
	out, readErr := io.ReadAll(io.LimitReader(r, maxFilterOutput+1))
	if readErr != nil || len(out) > maxFilterOutput {
		c.end()
	}
	code, err = c.wait()
	switch {
	case err != nil:
		return 0, nil, err
	case readErr != nil:
		return 0, nil, fmt.Errorf("read from %s: %w", c.name, readErr)
	case len(out) > maxFilterOutput:
		return 0, nil, fmt.Errorf("%s wrote more than %d bytes", c.name, maxFilterOutput)
	}
	return code, out, nil
}

// envelope is the recipients for the program's environment: all of them in
// RECIPIENTS, one a line, if they are not too many, and a single one in
// RECIPIENT.
func (f *filter) envelope() []string {
	var all []string
	for _, r := range f.in.rcpts {
		all = append(all, r.Address)
	}
	var env []string
	if len(all) == 1 {
		env = append(env, "RECIPIENT="+all[0])
	}
	if list := strings.Join(all, "\n"); len(list) <= maxFilterEnv {
		env = append(env, "RECIPIENTS="+list)
	}
	return env
}

// headerLines checks that what a program wrote is header fields and nothing
// else: each line one, or the continuation of one.
func headerLines(out []byte) ([]byte, error) {
	out = bytes.ReplaceAll(out, []byte("\r\n"), []byte("\n"))
	if len(out) > 0 && out[len(out)-1] != '\n' {
		out = append(out, '\n')
	}
	rest := out
	for len(rest) > 0 {
		l, after, _ := bytes.Cut(rest, []byte("\n"))
		folded := len(l) > 0 && (l[0] == ' ' || l[0] == '\t') && len(rest) < len(out)
		if !folded && !message.FirstIsField(l) || bytes.IndexByte(l, '\r') >= 0 || bytes.IndexByte(l, 0) >= 0 {
			return nil, fmt.Errorf("filter wrote %.60q, which is no header line", l)
		}
		rest = after
	}
	return out, nil
}
