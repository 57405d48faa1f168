package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"rohrpost/cmd/internal/progtest"
	"rohrpost/maildir/disk"
)

const hello = "Subject: hello\n\nworld\n"

// home is a home directory without a Maildir.
func home(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "joe")
	mkdir(t, dir)
	return dir
}

// mailHome is a home with an empty Maildir in it, and folders of these names.
func mailHome(t testing.TB, folders ...string) string {
	t.Helper()
	dir := home(t)
	for _, box := range append([]string{""}, folders...) {
		for _, sub := range []string{"tmp", "new", "cur"} {
			mkdir(t, filepath.Join(dir, "Maildir", box, sub))
		}
	}
	return dir
}

func mkdir(t testing.TB, path string) {
	t.Helper()
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// deliver runs the program for a user at this home.
func deliver(t testing.TB, home, message string, args ...string) progtest.Result {
	t.Helper()
	return progtest.Run(t, strings.NewReader(message), []string{"HOME=" + home}, "deliver", args...)
}

// wants holds a result to an exit code and to what standard error begins with.
func wants(t testing.TB, r progtest.Result, code int, stderr string) {
	t.Helper()
	if r.Code != code || !strings.HasPrefix(r.Stderr, stderr) || stderr == "" && r.Stderr != "" {
		t.Errorf("exit %d, %q; want %d, %q…", r.Code, r.Stderr, code, stderr)
	}
}

// messages is the content of all files in new and cur of a Maildir or folder.
func messages(t testing.TB, box string) []string {
	t.Helper()
	var all []string
	for _, sub := range []string{"new", "cur"} {
		for _, name := range names(t, filepath.Join(box, sub)) {
			b, err := os.ReadFile(filepath.Join(box, sub, name))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, string(b))
		}
	}
	return all
}

func names(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// holds holds a Maildir to these messages, in any order, and to an empty tmp.
func holds(t testing.TB, box string, want ...string) {
	t.Helper()
	got := messages(t, box)
	for _, w := range want {
		found := false
		for i, g := range got {
			if g == w {
				got = append(got[:i], got[i+1:]...)
				found = true
				break
			}
		}
		if !found {
			t.Errorf("%s does not hold %.300q", box, w)
		}
	}
	if len(got) > 0 {
		t.Errorf("%s also holds %.300q", box, got)
	}
	if left := names(t, filepath.Join(box, "tmp")); len(left) > 0 {
		t.Errorf("%s/tmp holds %q", box, left)
	}
}

// inProcess delivers a message into the Maildir at path through f, as the
// program would.
func inProcess(f disk.FS, path string, message io.Reader) error {
	s := &single{
		fs: f, in: message, size: -1,
		env:  envelope{sender: part{"a@b.example", "test"}, recipient: part{"joe@c.example", "test"}},
		to:   place{maildir: part{path, "test"}},
		quit: interrupt{watching: true}, // signals are the test's own
		over: mailboxFull,
	}
	return s.deliver()
}

// ours are the lines that inProcess adds.
const ours = "Return-Path: <a@b.example>\nDelivered-To: joe@c.example\n"

// shell runs a shell script with the program as "$0" and the home in HOME.
func shell(t testing.TB, home string, stdin io.Reader, script string) progtest.Result {
	t.Helper()
	c := exec.Command("/bin/sh", "-c", script, progtest.Bin(t, "deliver"))
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home}
	return progtest.RunCmd(t, stdin, c)
}

func TestDelivery(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		env  []string
		args []string
		want string // our lines
	}{
		{"nothing is known, nothing is added", nil, nil, ""},
		{"qmail", []string{"SENDER=a@b", "RECIPIENT=joe@c", "LOCAL=joe", "HOST=c", "EXT=", "RPLINE=Return-Path: <a@b>\n", "DTLINE=Delivered-To: joe@c\n"}, nil,
			"Return-Path: <a@b>\nDelivered-To: joe@c\n"},
		{"qmail's lines win over its words", []string{"SENDER=x", "RECIPIENT=y", "RPLINE=Return-Path: <a@b>\n", "DTLINE=Delivered-To: joe@c\n"}, nil,
			"Return-Path: <a@b>\nDelivered-To: joe@c\n"},
		{"Postfix", []string{"SENDER=a@b", "RECIPIENT=joe@c", "ORIGINAL_RECIPIENT=sales@c", "EXTENSION=", "DOMAIN=c", "LOCAL=joe", "USER=joe"}, nil,
			"Return-Path: <a@b>\nDelivered-To: joe@c\n"},
		{"Exim", []string{"SENDER=a@b", "LOCAL_PART=joe", "LOCAL_PART_SUFFIX=+x", "DOMAIN=c"}, nil,
			"Return-Path: <a@b>\nDelivered-To: joe+x@c\n"},
		{"fetchmail", nil, []string{"-f", "a@b"}, "Return-Path: <a@b>\n"},
		{"fetchmail, a report", nil, []string{"-f", "<>"}, "Return-Path: <>\n"},
		{"getmail", nil, []string{"-f", "a@b", "-a", "joe@c"}, "Return-Path: <a@b>\nDelivered-To: joe@c\n"},
		{"flags win over the environment", []string{"SENDER=x", "RECIPIENT=y", "RPLINE=Return-Path: <z>\n", "DTLINE=Delivered-To: z\n"}, []string{"-f", "a@b", "-a", "joe@c"},
			"Return-Path: <a@b>\nDelivered-To: joe@c\n"},
		{"a report has no sender but an empty one", []string{"SENDER="}, nil, "Return-Path: <>\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := home(t)
			r := progtest.Run(t, strings.NewReader(hello), append(tt.env, "HOME="+h), "deliver", tt.args...)
			wants(t, r, 0, "")
			holds(t, h+"/Maildir", tt.want+hello)
		})
	}
}

func TestPlace(t *testing.T) {
	t.Parallel()
	h := home(t)
	for _, tt := range []struct {
		name, box string
		env, args []string
	}{
		{"the argument comes first", "arg", []string{"MAILDIR=" + h + "/env", "HOME=" + h}, []string{h + "/arg/"}},
		{"then MAILDIR", "env", []string{"MAILDIR=" + h + "/env", "HOME=" + h}, nil},
		{"then HOME", "Maildir", []string{"HOME=" + h}, nil},
	} {
		wants(t, progtest.Run(t, strings.NewReader(hello), tt.env, "deliver", tt.args...), 0, "")
		if len(messages(t, filepath.Join(h, tt.box))) != 1 {
			t.Errorf("%s: nothing in %s", tt.name, tt.box)
		}
	}
	st, err := os.Stat(h + "/arg")
	if err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("the Maildir was made with %v, %v", st, err)
	}
	wants(t, progtest.Run(t, strings.NewReader(hello), nil, "deliver"), 75, "4.3.5 mailbox cannot be used as it is set up: no Maildir is named and HOME is not set; give")
	wants(t, deliver(t, h+"/gone", hello), 75, "4.3.5 mailbox cannot be used as it is set up: home "+h+"/gone: no such file or directory; make it")
	if names(t, h+"/gone") != nil {
		t.Error("a home was made")
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--nonsense"}, {"a", "b"}, {"--size", "x"}, {"--size", "-1"}, {"--over-quota", "drop"}, {"--quota", "storage=much"}} {
		r := deliver(t, mailHome(t), hello, args...)
		if r.Code != 75 || r.Stderr == "" || strings.Count(r.Stderr, "\n") != 1 {
			t.Errorf("%q: exit %d, %q", args, r.Code, r.Stderr)
		}
	}
	r := deliver(t, mailHome(t), "", "--help")
	if r.Code != 0 || !strings.Contains(r.Stdout, "--over-quota") {
		t.Errorf("--help: exit %d, %q", r.Code, r.Stdout)
	}
}

func TestFolders(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, box string
		env, args []string
	}{
		{"qmail's EXT", ".work", []string{"EXT=work"}, nil},
		{"DEFAULT, the open part of EXT, comes first", ".work", []string{"EXT=sorted-work", "DEFAULT=work"}, nil},
		{"Postfix's EXTENSION", ".work", []string{"EXTENSION=work"}, nil},
		{"Exim's suffix has a delimiter", ".work", []string{"LOCAL_PART=joe", "LOCAL_PART_SUFFIX=+work", "DOMAIN=c"}, nil},
		{"what follows the plus", ".work", nil, []string{"-a", "joe+work@c"}},
		{"what follows the user's name and a minus", ".work", []string{"USER=joe"}, []string{"-a", "Joe-work@c"}},
		{"a minus in anybody's name is just that", "", []string{"USER=ann"}, []string{"-a", "joe-work@c"}},
		{"an empty EXT says there is none", "", []string{"EXT="}, []string{"-a", "joe+work@c"}},
		{"levels", ".lists.golang", []string{"EXT=lists.golang"}, nil},
		{"letters of another case", ".work", []string{"EXT=WORK"}, nil},
		{"the very name wins over another case", ".Two", []string{"EXT=Two"}, nil},
		{"two that differ in case fit neither", "", []string{"EXT=TWO"}, nil},
		{"beyond ASCII", ".&AMQ-rger", []string{"EXT=Ärger"}, nil},
		{"an unknown folder is not made", "", []string{"EXT=unknown"}, nil},
		{"a file is no folder", "", []string{"EXT=file"}, nil},
		{"a directory that is no Maildir is no folder", "", []string{"EXT=dir"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := mailHome(t, ".work", ".lists.golang", ".&AMQ-rger", ".Two", ".two")
			write(t, h+"/Maildir/.file", "")
			mkdir(t, h+"/Maildir/.dir")
			before := names(t, h+"/Maildir")
			r := progtest.Run(t, strings.NewReader(hello), append(tt.env, "HOME="+h), "deliver", tt.args...)
			wants(t, r, 0, "")
			if got := messages(t, filepath.Join(h, "Maildir", tt.box)); len(got) != 1 {
				t.Errorf("%d messages in %q", len(got), tt.box)
			}
			if after := names(t, h+"/Maildir"); len(after) != len(before) {
				t.Errorf("before %q, after %q", before, after)
			}
		})
	}
}

func TestDryRun(t *testing.T) {
	t.Parallel()
	h := mailHome(t, ".work")
	for _, tt := range []struct {
		name, message string
		args          []string
		code          int
		want          []string
	}{
		{"into a folder", hello, []string{"-a", "joe+work@c"}, 0, []string{
			"recipient value=joe+work@c by=-a", "extension value=work by=-a", "maildir path=" + h + "/Maildir by=HOME",
			"folder name=work path=" + h + "/Maildir/.work by=-a", "store bytes=47"}},
		{"no such folder", hello, []string{"-a", "joe+play@c"}, 0, []string{`folder name=INBOX path=` + h + `/Maildir by="-a names no folder"`}},
		{"no Maildir", hello, []string{h + "/none"}, 0, []string{"make path=" + h + `/none why="it does not exist"`, "store bytes=22"}},
		{"a loop", "Received: x\nDelivered-To: joe@c\n\n", []string{"-a", "joe@c"}, 100, []string{`refuse code=5.4.6 text="mail is looping" why="it has been delivered to joe@c before"`}},
	} {
		r := deliver(t, h, tt.message, append([]string{"-n"}, tt.args...)...)
		wants(t, r, tt.code, "")
		for _, w := range tt.want {
			if !strings.Contains(r.Stdout, "deliver: "+w+"\n") {
				t.Errorf("%s: no line %q in\n%s", tt.name, w, r.Stdout)
			}
		}
	}
	holds(t, h+"/Maildir")
	holds(t, h+"/Maildir/.work")
	if names(t, h+"/none") != nil {
		t.Error("a dry run made a Maildir")
	}
	r := progtest.Run(t, nil, []string{"HOME=" + h}, "deliver", "-n")
	if r.Code != 0 || strings.Contains(r.Stdout, "store") || !strings.Contains(r.Stdout, "maildir path=") {
		t.Errorf("without a message: exit %d\n%s", r.Code, r.Stdout)
	}
}

// The largest message that issue 2 asks for passes through in little memory.
func TestLargeMessageStreams(t *testing.T) {
	t.Parallel()
	line := strings.Repeat("x", 1023) + "\n"
	h := mailHome(t)
	c := progtest.Command(t, []string{"HOME=" + h}, "deliver")
	body := &repeat{text: []byte(line), left: 100 << 20}
	r := progtest.RunCmd(t, io.MultiReader(strings.NewReader("Subject: large\n\n"), body), c)
	wants(t, r, 0, "")
	got := names(t, h+"/Maildir/new")
	if len(got) != 1 || !strings.Contains(got[0], ",S=104857616,W=104960018") {
		t.Errorf("stored as %q", got)
	}
	checkMemory(t, c)
}

// repeat is a text over and over.
type repeat struct {
	text []byte
	left int
	at   int
}

func (r *repeat) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), r.left)], r.text[r.at:])
	r.at = (r.at + n) % len(r.text)
	r.left -= n
	return n, nil
}

// checkMemory holds a program that has ended to 64 MB at its largest. The kernel
// counts the process that started it in until its exec.
func checkMemory(t testing.TB, c *exec.Cmd) {
	t.Helper()
	if u := c.ProcessState.SysUsage().(*syscall.Rusage); u.Maxrss > 64<<10 {
		t.Errorf("grew to %d KB", u.Maxrss)
	}
}

// O05: an argument that is empty is a slip, not a wish for the default.
func TestO05_EmptyMaildirIsRefused(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	r := progtest.Run(t, strings.NewReader("Subject: x\n\n"), []string{"HOME=" + home}, "deliver", "")
	if left, _ := os.ReadDir(home); r.Code != 75 || !strings.Contains(r.Stderr, "MAILDIR is empty") || len(left) != 0 {
		t.Errorf("exit %d, %q, made %v", r.Code, r.Stderr, left)
	}
}

func TestDryRunThatNobodyCanReadFails(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	c := progtest.Command(t, []string{"HOME=" + t.TempDir()}, "deliver", "-n")
	c.Stdin, c.Stdout = strings.NewReader("Subject: x\n\n"), full
	c.Run()
	if code := c.ProcessState.ExitCode(); code != 75 {
		t.Errorf("exit %d", code)
	}
}
