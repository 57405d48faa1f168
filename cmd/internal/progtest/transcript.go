package progtest

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

// A Transcript is one conversation with a program: a txtar file whose comment
// says which sentence of which document it holds the program to. Its sections:
//
//	args     the program's arguments, one a line
//	env      more environment, NAME=value, one a line
//	session  the conversation
//	log      lines that standard error must hold, in this order
//	exit     the exit code; 0 if there is no such section
//	want     names that must exist afterwards, or, with ! in front, must not;
//	         * and ? as in the shell
//
// Any other section is a file that lies in the transcript's directory before, a
// program if it begins with #!; an empty one named NAME/ is a directory. $DIR in
// args, env, log and want is that directory.
//
// The session is read line by line:
//
//	C: text      is sent, with CRLF
//	C> "text"    is sent as the Go string says, without CRLF; a number behind
//	             it repeats it
//	C EOF        closes our side
//	S: text      is what the program must say next, a line without its CRLF;
//	             "..." stands for anything, a "*" for one word or, in key=*,
//	             for a value
//	S: ...       is any number of lines
//	S EOF        the program must have ended the conversation
//
// Lines sent one after the other go out in one write, so a pipelining client is
// a run of C lines. After the last line our side is closed, and nothing more may
// come.
type Transcript struct {
	Name, Dir string
	sections  map[string]string
}

// Section is the text of a section, "" if there is none.
func (tr *Transcript) Section(name string) string { return tr.sections[name] }

// Lines are the lines of a section that are not empty, with $DIR replaced.
func (tr *Transcript) Lines(name string) []string {
	var lines []string
	for _, l := range strings.Split(tr.sections[name], "\n") {
		if l = strings.TrimSpace(l); l != "" {
			lines = append(lines, strings.ReplaceAll(l, "$DIR", tr.Dir))
		}
	}
	return lines
}

var transcriptSections = map[string]bool{"args": true, "env": true, "session": true, "log": true, "exit": true, "want": true}

// Transcripts runs play for each file that pattern matches, as a parallel
// subtest named after the file.
func Transcripts(t *testing.T, pattern string, play func(t *testing.T, tr *Transcript)) {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("no transcripts match %s", pattern)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			play(t, LoadTranscript(t, name))
		})
	}
}

// LoadTranscript reads a transcript and puts its files into a fresh directory.
func LoadTranscript(t *testing.T, name string) *Transcript {
	t.Helper()
	a, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	tr := &Transcript{Name: name, Dir: t.TempDir(), sections: map[string]string{}}
	for _, f := range a.Files {
		if transcriptSections[f.Name] {
			tr.sections[f.Name] = string(f.Data)
			continue
		}
		if err := putFile(filepath.Join(tr.Dir, f.Name), f.Name, f.Data); err != nil {
			t.Fatal(err)
		}
	}
	return tr
}

func putFile(path, name string, data []byte) error {
	if strings.HasSuffix(name, "/") {
		return os.MkdirAll(path, 0o700)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	mode := os.FileMode(0o600)
	if bytes.HasPrefix(data, []byte("#!")) {
		mode = 0o700
	}
	return os.WriteFile(path, data, mode)
}

// Play runs the program in the transcript's directory, with its arguments and
// environment behind those given, plays the session and checks log, exit code and files.
func (tr *Transcript) Play(t *testing.T, env []string, program string, args ...string) {
	t.Helper()
	c := Command(t, append(env, tr.Lines("env")...), program, append(args, tr.Lines("args")...)...)
	c.Dir = tr.Dir
	tr.PlayCmd(t, c)
}

// PlayCmd is Play for a command that is otherwise ready to start.
func (tr *Transcript) PlayCmd(t *testing.T, c *exec.Cmd) {
	t.Helper()
	steps, err := parseSession(tr.sections["session"])
	if err != nil {
		t.Fatalf("%s: %v", tr.Name, err)
	}
	var log bytes.Buffer
	c.Stderr = &log
	in, out := pipes(t, c)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	stop := time.AfterFunc(runTimeout, func() { c.Process.Kill() })
	defer stop.Stop()
	p := newPlayer(in, out)
	failure := p.play(steps)
	in.Close()
	if failure == nil {
		failure = p.end()
	} else {
		c.Process.Kill()
	}
	c.Wait()
	if failure != nil {
		t.Errorf("%s: %v\nconversation:\n%slog:\n%s", tr.Name, failure, p.said.String(), log.String())
		return
	}
	tr.check(t, c.ProcessState.ExitCode(), log.String())
}

func pipes(t *testing.T, c *exec.Cmd) (io.WriteCloser, io.Reader) {
	t.Helper()
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	return in, out
}

func (tr *Transcript) check(t *testing.T, code int, log string) {
	t.Helper()
	want := 0
	if s := strings.TrimSpace(tr.sections["exit"]); s != "" {
		want, _ = strconv.Atoi(s)
	}
	if code != want {
		t.Errorf("%s: exit code %d, want %d; log:\n%s", tr.Name, code, want, log)
	}
	rest := strings.Split(log, "\n")
	for _, l := range tr.Lines("log") {
		i := matchAny(l, rest)
		if i < 0 {
			t.Errorf("%s: log lacks %q:\n%s", tr.Name, l, log)
			continue
		}
		rest = rest[i+1:]
	}
	for _, name := range tr.Lines("want") {
		name, absent := strings.CutPrefix(name, "!")
		found, _ := filepath.Glob(filepath.Join(tr.Dir, name))
		if (len(found) == 0) != absent {
			t.Errorf("%s: want %s: found %q; log:\n%s", tr.Name, name, found, log)
		}
	}
}

func matchAny(want string, lines []string) int {
	re := linePattern(want)
	for i, l := range lines {
		if re.MatchString(l) {
			return i
		}
	}
	return -1
}

// step is one line of a session.
type step struct {
	no    int // its number in the section, from 1
	kind  string
	text  string // to send, or as written
	match *regexp.Regexp
}

func parseSession(s string) ([]step, error) {
	var steps []step
	for i, l := range strings.Split(s, "\n") {
		if l == "" || l[0] == '#' {
			continue
		}
		st := step{no: i + 1}
		var err error
		switch {
		case l == "C EOF", l == "S EOF":
			st.kind = l
		case strings.HasPrefix(l, "C>"):
			st.kind = "C"
			st.text, err = rawText(l[2:])
		case strings.HasPrefix(l, "C:"):
			st.kind, st.text = "C", strings.TrimPrefix(l[2:], " ")+"\r\n"
		case l == "S: ...":
			st.kind = "S..."
		case strings.HasPrefix(l, "S:"):
			st.kind, st.text = "S", strings.TrimPrefix(l[2:], " ")
			st.match = linePattern(st.text)
		default:
			err = fmt.Errorf("%q is neither C nor S", l)
		}
		if err != nil {
			return nil, fmt.Errorf("session line %d: %w", st.no, err)
		}
		steps = append(steps, st)
	}
	return steps, nil
}

// rawText reads a Go string with an optional count behind it.
func rawText(s string) (string, error) {
	s = strings.TrimSpace(s)
	q, err := strconv.QuotedPrefix(s)
	if err != nil {
		return "", fmt.Errorf("%s is no Go string", s)
	}
	text, err := strconv.Unquote(q)
	if err != nil {
		return "", err
	}
	n := 1
	if rest := strings.TrimSpace(s[len(q):]); rest != "" {
		if n, err = strconv.Atoi(rest); err != nil {
			return "", fmt.Errorf("%q is no count", rest)
		}
	}
	return strings.Repeat(text, n), nil
}

// linePattern turns an expected line into a pattern.
func linePattern(s string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`\A`)
	for i, part := range strings.Split(s, "...") {
		if i > 0 {
			b.WriteString(`.*`)
		}
		for j, word := range strings.Split(part, " ") {
			if j > 0 {
				b.WriteByte(' ')
			}
			key, isPair := strings.CutSuffix(word, "=*")
			switch {
			case word == "*":
				b.WriteString(`\S+`)
			case isPair:
				b.WriteString(regexp.QuoteMeta(key) + `=\S+`)
			default:
				b.WriteString(regexp.QuoteMeta(word))
			}
		}
	}
	b.WriteString(`\z`)
	return regexp.MustCompile(b.String())
}

// player holds one side of a conversation.
type player struct {
	in    io.Writer
	lines chan string // closed at the end of the program's output
	held  *string     // a line read but not yet matched
	said  strings.Builder
}

func newPlayer(in io.Writer, out io.Reader) *player {
	p := &player{in: in, lines: make(chan string, 64)}
	go p.read(out)
	return p
}

// read takes the program's output apart. It never stops before the end, so a
// program is not held up by a test that has already failed.
func (p *player) read(out io.Reader) {
	defer close(p.lines)
	var rest []byte
	buf := make([]byte, 64<<10)
	for {
		n, err := out.Read(buf)
		rest = append(rest, buf[:n]...)
		for {
			l, more, ok := bytes.Cut(rest, []byte("\r\n"))
			if !ok {
				break
			}
			p.lines <- string(l)
			rest = more
		}
		if err != nil {
			if len(rest) > 0 {
				p.lines <- string(rest) + "<no CRLF>"
			}
			return
		}
	}
}

func (p *player) play(steps []step) error {
	var out []byte
	for i, st := range steps {
		if st.kind == "C" {
			out = append(out, st.text...)
			if i+1 < len(steps) && steps[i+1].kind == "C" {
				continue
			}
			fmt.Fprintf(&p.said, "C: %.2000q\n", out)
			if err := p.send(out); err != nil {
				return fmt.Errorf("session line %d: %w", st.no, err)
			}
			out = out[:0]
			continue
		}
		if err := p.step(st, steps[i+1:]); err != nil {
			return fmt.Errorf("session line %d: %w", st.no, err)
		}
	}
	return nil
}

// send writes while the program may write too. A program that has ended the
// conversation takes no more input, and that is for the next S line to judge.
func (p *player) send(b []byte) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.in.Write(bytes.Clone(b))
	}()
	select {
	case <-done:
		return nil
	case <-time.After(runTimeout):
		return fmt.Errorf("program does not read what is sent")
	}
}

func (p *player) step(st step, after []step) error {
	switch st.kind {
	case "C EOF":
		return p.in.(io.Closer).Close()
	case "S EOF":
		return p.end()
	case "S...":
		return p.skip(after)
	}
	l, ok := p.next()
	if !ok {
		return fmt.Errorf("conversation ended, want %q", st.text)
	}
	if !st.match.MatchString(l) {
		return fmt.Errorf("got %q, want %q", l, st.text)
	}
	return nil
}

// skip drops lines until one matches the next expected line.
func (p *player) skip(after []step) error {
	if len(after) == 0 || after[0].match == nil {
		return fmt.Errorf(`"S: ..." needs an S line behind it`)
	}
	for {
		l, ok := p.next()
		if !ok {
			return fmt.Errorf("conversation ended, want %q at last", after[0].text)
		}
		if after[0].match.MatchString(l) {
			p.held = &l
			return nil
		}
	}
}

// next is the program's next line; false is its end or that it says nothing.
func (p *player) next() (string, bool) {
	if p.held != nil {
		l := *p.held
		p.held = nil
		return l, true
	}
	select {
	case l, ok := <-p.lines:
		if ok {
			fmt.Fprintf(&p.said, "S: %.500s\n", l)
		}
		return l, ok
	case <-time.After(runTimeout):
		return "", false
	}
}

// end wants the end of the program's output.
func (p *player) end() error {
	if l, ok := p.next(); ok {
		return fmt.Errorf("got %q, want the end", l)
	}
	return nil
}
