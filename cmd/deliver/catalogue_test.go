package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/progtest"
	"rohrpost/maildir"
	"rohrpost/maildir/disk"
	"rohrpost/maildir/disk/disktest"
)

// The rows of the catalogue of bad input (RELIABILITY, D). Those about files
// that fail run in this process, over a file system that fails as told; all
// others run the program.

func TestD01_SymbolicLinks(t *testing.T) {
	t.Parallel()
	for _, link := range []string{"", "tmp", "new", "cur"} {
		h := mailHome(t)
		decoy := mailHome(t) + "/Maildir"
		path := filepath.Join(h, "Maildir", link)
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(decoy, link), path); err != nil {
			t.Fatal(err)
		}
		wants(t, deliver(t, h, hello), 75, "4.3.5 ")
		holds(t, decoy)
		if link == "" {
			wants(t, deliver(t, h, hello, "--follow"), 0, "")
			holds(t, decoy, hello)
		} else {
			wants(t, deliver(t, h, hello, "--follow"), 75, "4.3.5 ")
		}
	}
}

func TestD01_FolderThatIsASymbolicLinkIsNoFolder(t *testing.T) {
	t.Parallel()
	h, decoy := mailHome(t), mailHome(t)+"/Maildir"
	if err := os.Symlink(decoy, h+"/Maildir/.work"); err != nil {
		t.Fatal(err)
	}
	wants(t, deliver(t, h, hello, "-a", "joe+work@c"), 0, "")
	holds(t, decoy)
	if n := len(messages(t, h+"/Maildir")); n != 1 {
		t.Errorf("%d messages in the inbox", n)
	}
}

// meddler does something right before a file is created, with its name.
type meddler struct {
	disk.FS
	before func(d *disk.Dir, name string)
	calls  int
}

func (m *meddler) Create(d *disk.Dir, name string) (disk.File, error) {
	m.calls++
	m.before(d, name)
	return m.FS.Create(d, name)
}

func TestD02_NameInTmpTaken(t *testing.T) {
	t.Parallel()
	for what, plant := range map[string]func(victim, path string) error{
		"symbolic link": os.Symlink,
		"hard link":     os.Link,
		"FIFO":          func(_, path string) error { return unix.Mkfifo(path, 0o666) },
		"directory":     func(_, path string) error { return os.Mkdir(path, 0o777) },
	} {
		box := mailHome(t) + "/Maildir"
		victim := filepath.Join(t.TempDir(), "victim")
		write(t, victim, "precious")
		planted := ""
		f := &meddler{FS: disk.OS, before: func(d *disk.Dir, name string) {
			if planted == "" {
				planted = d.Path() + "/" + name
				if err := plant(victim, planted); err != nil {
					t.Error(err)
				}
			}
		}}
		if err := inProcess(f, box, strings.NewReader(hello)); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if b, _ := os.ReadFile(victim); string(b) != "precious" {
			t.Errorf("%s: the victim holds %q", what, b)
		}
		os.Remove(planted)
		holds(t, box, ours+hello)
	}
}

func TestD03_MaildirSwappedBetweenCheckAndUse(t *testing.T) {
	t.Parallel()
	box, decoy := mailHome(t)+"/Maildir", mailHome(t)+"/Maildir"
	f := &meddler{FS: disk.OS, before: func(*disk.Dir, string) {
		if err := errors.Join(os.Rename(box, box+".moved"), os.Symlink(decoy, box)); err != nil {
			t.Error(err)
		}
	}}
	if err := inProcess(f, box, strings.NewReader(hello)); err != nil {
		t.Error(err)
	}
	holds(t, decoy)
	holds(t, box+".moved", ours+hello)
}

func TestD04_AllNamesTaken(t *testing.T) {
	t.Parallel()
	box := mailHome(t) + "/Maildir"
	f := &meddler{FS: disk.OS, before: func(d *disk.Dir, name string) { write(t, d.Path()+"/"+name, "") }}
	err := inProcess(f, box, strings.NewReader(hello))
	if err == nil || judge(err).permanent() || f.calls != 3 {
		t.Errorf("%v after %d tries", err, f.calls)
	}
	if got := names(t, box+"/new"); len(got) != 0 {
		t.Errorf("new holds %q", got)
	}
}

// large needs four writes.
var large = "Subject: large\n\n" + strings.Repeat("0123456789abcde\n", 14<<10)

// fault delivers a large message with one fault and returns the verdict's code,
// "" if it was delivered. Whatever happens, new holds the whole message or
// nothing, and tmp is empty.
func fault(t *testing.T, f *disktest.Faulty) string {
	t.Helper()
	f.FS = disk.OS
	box := mailHome(t) + "/Maildir"
	err := inProcess(f, box, strings.NewReader(large))
	if !f.Hit() {
		t.Errorf("%s %d did not come", f.Op, f.At)
	}
	if err == nil {
		holds(t, box, ours+large)
		return ""
	}
	if len(messages(t, box)) > 0 && f.Op != "syncdir" && !f.Done {
		t.Errorf("%s %d: %v, but it is there", f.Op, f.At, err)
	}
	if left := names(t, box+"/tmp"); len(left) > 0 {
		t.Errorf("%s %d: tmp holds %q", f.Op, f.At, left)
	}
	return judge(err).code
}

func TestD05_DiskFull(t *testing.T) {
	t.Parallel()
	for at := 1; at <= 4; at++ {
		if code := fault(t, &disktest.Faulty{Op: "write", At: at, Err: unix.ENOSPC}); code != "4.3.1" {
			t.Errorf("write %d: %q", at, code)
		}
	}
}

// On a real disk that is full, the program at every size around the end.
func TestD05_DiskFullForReal(t *testing.T) {
	t.Parallel()
	h := mount(t, "size=64k")
	mkdir(t, h+"/Maildir")
	for n := 40 << 10; n <= 72<<10; n += 4 << 10 {
		message := strings.Repeat("x\n", n/2)
		r := deliver(t, h, message)
		switch r.Code {
		case 0:
			holds(t, h+"/Maildir", message)
			if err := os.RemoveAll(h + "/Maildir/new"); err != nil {
				t.Fatal(err)
			}
			mkdir(t, h+"/Maildir/new")
		default:
			wants(t, r, 75, "4.3.1 mail system is full: ")
			holds(t, h+"/Maildir")
		}
	}
}

// mount mounts a small file system and makes a home in it, or skips the test
// where that takes a right we do not have.
func mount(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("mount: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	h := filepath.Join(dir, "joe")
	mkdir(t, h)
	return h
}

func TestD06_DiskQuota(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"write", "sync", "close"} {
		if code := fault(t, &disktest.Faulty{Op: op, At: 1, Err: unix.EDQUOT}); code != "4.2.2" {
			t.Errorf("%s: %q", op, code)
		}
	}
}

func TestD07_SyncFails(t *testing.T) {
	t.Parallel()
	f := &disktest.Faulty{Op: "sync", At: 1, Err: unix.EIO}
	if code := fault(t, f); code != "4.3.0" {
		t.Errorf("code %q", code)
	}
	if n := f.Calls(); n != 1 {
		t.Errorf("synced %d times", n)
	}
}

func TestD08_NoHardLinks(t *testing.T) {
	t.Parallel()
	for _, err := range []error{unix.EXDEV, unix.EPERM, unix.EMLINK, unix.EOPNOTSUPP} {
		if code := fault(t, &disktest.Faulty{Op: "link", At: 1, Err: err}); code != "" {
			t.Errorf("%v: %q", err, code)
		}
	}
	if code := fault(t, &disktest.Faulty{Op: "link", At: 1, Err: unix.EIO}); code != "4.3.0" {
		t.Errorf("EIO: %q", code)
	}
}

func TestD09_LinkDoneButReportedFailed(t *testing.T) {
	t.Parallel()
	for _, err := range []error{unix.EIO, unix.EEXIST, unix.ETIMEDOUT} {
		if code := fault(t, &disktest.Faulty{Op: "link", At: 1, Err: err, Done: true}); code != "" {
			t.Errorf("%v: %q", err, code)
		}
	}
}

func TestD10_DirectorySyncFails(t *testing.T) {
	t.Parallel()
	if code := fault(t, &disktest.Faulty{Op: "syncdir", At: 1, Err: unix.EIO}); code != "4.3.0" {
		t.Errorf("EIO: %q", code)
	}
}

func TestD11_NoMessage(t *testing.T) {
	t.Parallel()
	h := mailHome(t)
	for _, script := range []string{`"$0" <&-`, `"$0" </dev/null`} {
		wants(t, shell(t, h, nil, script), 75, "4.4.2 message is incomplete: standard input is closed or the null device")
	}
	c := progtest.Command(t, []string{"HOME=" + h}, "deliver")
	wants(t, progtest.RunCmd(t, terminal(t), c), 75, "4.4.2 message is incomplete: standard input is a terminal")
	c = progtest.Command(t, []string{"HOME=" + h}, "deliver")
	wants(t, progtest.RunCmd(t, directory(t), c), 75, "4.4.2 message is incomplete: read standard input: is a directory")
	holds(t, h+"/Maildir")
}

func directory(t *testing.T) *os.File {
	t.Helper()
	f, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// terminal is the far end of a pseudo terminal.
func terminal(t *testing.T) *os.File {
	t.Helper()
	near, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { near.Close() })
	n, err := unix.IoctlGetInt(int(near.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(near.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Skip(err)
	}
	far, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { far.Close() })
	return far
}

// A non-blocking pipe says EAGAIN while nothing is in it.
func TestD11_NonBlockingInput(t *testing.T) {
	t.Parallel()
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	// The descriptor itself is handed over: os.NewFile would put it into
	// blocking mode first.
	r, w := os.NewFile(uintptr(p[0]), "r"), os.NewFile(uintptr(p[1]), "w")
	defer w.Close()
	h := mailHome(t)
	c := progtest.Command(t, []string{"HOME=" + h}, "deliver")
	c.Stdin = r
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	unix.SetNonblock(p[0], true)
	r.Close()
	for i := range len(hello) {
		if _, err := w.WriteString(hello[i : i+1]); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
	holds(t, h+"/Maildir", hello)
}

// An endless message ends at a limit of somebody's, and nothing of it stays.
func TestD11_EndlessInput(t *testing.T) {
	t.Parallel()
	h := mailHome(t)
	wants(t, shell(t, h, &repeat{text: []byte(strings.Repeat("x\n", 32<<10)), left: 80 << 20}, `ulimit -f 512; exec "$0"`), 75, "4.3.1 mail system is full: ")
	holds(t, h+"/Maildir")
}

func TestD12_SizeAnnounced(t *testing.T) {
	t.Parallel()
	h := mailHome(t)
	for _, size := range []int{0, len(hello) - 1, len(hello) + 1} {
		wants(t, deliver(t, h, hello, "--size", fmt.Sprint(size)), 75, "4.4.2 message is incomplete: standard input held 22 bytes")
	}
	holds(t, h+"/Maildir")
	wants(t, deliver(t, h, hello, "--size", fmt.Sprint(len(hello))), 0, "")
	holds(t, h+"/Maildir", hello)
}

func TestD13_ByteForByte(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, message, eol string }{
		{"a NUL", "Subject: a\x00b\n\nc\x00\n", "\n"},
		{"no final newline", "Subject: a\n\nb", "\n"},
		{"no newline at all", "Subject: a", "\n"},
		{"CRLF", "Subject: a\r\n\r\nb\r\n", "\r\n"},
		{"mixed, LF first", "Subject: a\nTo: b\r\n\r\nc\n", "\n"},
		{"mixed, CRLF first", "Subject: a\r\nTo: b\n\nc\n", "\r\n"},
		{"bare CR", "Subject: a\rb\n\nc\rd\n", "\n"},
		{"8-bit", "Subject: \xe4\xff\n\n\x80\xfe\n", "\n"},
		{"empty", "", "\n"},
		{"only a header", "Subject: a\n", "\n"},
		{"only a body", "\nb\n", "\n"},
		{"more than is read at once", large, "\n"},
		{"more than is read at once, CRLF", strings.ReplaceAll(large, "\n", "\r\n"), "\r\n"},
		{"exactly what is read at once", large[:firstPiece], "\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			lines := "Return-Path: <a@b>" + tt.eol + "Delivered-To: joe@c" + tt.eol
			h := mailHome(t)
			args := []string{"-f", "a@b", "-a", "joe@c"}
			wants(t, deliver(t, h, tt.message, args...), 0, "") // from a pipe
			file := filepath.Join(t.TempDir(), "message")
			write(t, file, tt.message)
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			c := progtest.Command(t, []string{"HOME=" + h}, "deliver", args...)
			wants(t, progtest.RunCmd(t, f, c), 0, "")
			holds(t, h+"/Maildir", lines+tt.message, lines+tt.message)
		})
	}
}

func TestD14_FirstLineIsNoHeader(t *testing.T) {
	t.Parallel()
	const lines = "Return-Path: <a@b>\nDelivered-To: joe@c\n"
	for _, tt := range []struct{ name, message, joint string }{
		{"an mbox line", "From a@b Mon Nov 23 03:00:00 2026\nSubject: x\n\ny\n", "X-Mailbox-Line: "},
		{"a quoted mbox line", ">From a@b Mon Nov 23 03:00:00 2026\nSubject: x\n\ny\n", "X-Mailbox-Line: "},
		{"a blank", " joe2@c\nSubject: x\n\ny\n", "\n"},
		{"a tab", "\tx\nSubject: x\n\ny\n", "\n"},
		{"a colon", ": x\nSubject: x\n\ny\n", "\n"},
		{"text", "just text\n", "\n"},
		{"a field", "From: a@b\n\ny\n", ""},
	} {
		h := mailHome(t)
		wants(t, deliver(t, h, tt.message, "-f", "a@b", "-a", "joe@c"), 0, "")
		holds(t, h+"/Maildir", lines+tt.joint+tt.message)
	}
	h := mailHome(t)
	wants(t, deliver(t, h, " blank\n"), 0, "")
	holds(t, h+"/Maildir", " blank\n") // nothing of ours to keep apart from it
}

func TestD15_HostileEnvelope(t *testing.T) {
	t.Parallel()
	for _, ext := range []string{"() { :;}; touch owned", "../../etc", "..", ".", "/", "/etc/passwd", "a/../..", "a\nb", "a..b", ".work", "work.", "-rf", "~", "$(id)", "`id`", "|id",
		"INBOX", "new", "\xff", strings.Repeat("x", 300)} {
		h := mailHome(t, ".work", ".new")
		before := tree(t, filepath.Dir(h))
		env := []string{"HOME=" + h, "EXTENSION=" + ext, "SENDER=a\nBcc: victim@x\r\n\n" + ext, "RECIPIENT=joe+" + ext + "@c\nX-Evil: yes"}
		wants(t, progtest.Run(t, strings.NewReader(hello), env, "deliver"), 0, "")
		got := messages(t, h+"/Maildir")
		if ext == "new" { // a folder may be called that
			got = messages(t, h+"/Maildir/.new")
		}
		if len(got) != 1 {
			t.Fatalf("%q: %d messages in the inbox", ext, len(got))
		}
		header, body, _ := strings.Cut(got[0], "\n\n")
		if body != "world\n" || strings.Count(header, "\n") != 2 || !strings.HasSuffix(header, "\nSubject: hello") {
			t.Errorf("%q: header %q", ext, header)
		}
		if after := tree(t, filepath.Dir(h)); len(after) != len(before)+1 {
			t.Errorf("%q: %q became %q", ext, before, after)
		}
	}
}

// tree is the path of everything below dir.
func tree(t *testing.T, dir string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		paths = append(paths, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func TestD16_Loops(t *testing.T) {
	t.Parallel()
	hops := func(n int) string { return strings.Repeat("Received: from x\n\tby y; today\n", n) }
	for _, tt := range []struct {
		name, header string
		code         int
	}{
		{"ours below the topmost Received", hops(1) + "Delivered-To: joe@c\n", 100},
		{"in other letters", hops(1) + "delivered-TO:  JOE@C \n", 100},
		{"far below", hops(50) + "X: " + strings.Repeat("x", 100<<10) + "\nDelivered-To: joe@c\n", 100},
		{"folded", hops(1) + "Delivered-To:\n joe@c\n", 100},
		{"the calling MTA's is no loop", "Delivered-To: joe@c\n" + hops(1), 0},
		{"somebody else's is no loop", hops(1) + "Delivered-To: ann@c\n", 0},
		{"99 Received", hops(99), 0},
		{"100 Received", hops(100), 100},
		{"in the body it is text", hops(1) + "\nDelivered-To: joe@c\n", 0},
	} {
		h := mailHome(t)
		r := deliver(t, h, tt.header+"Subject: x\n\ny\n", "-a", "joe@c")
		want := ""
		if tt.code != 0 {
			want = "5.4.6 mail is looping: "
			holds(t, h+"/Maildir")
		}
		t.Log(tt.name)
		wants(t, r, tt.code, want)
	}
}

// What the calling MTA has put on top is not put there again.
func TestD16_TraceLinesAreNotRepeated(t *testing.T) {
	t.Parallel()
	const rest = "Received: x\n\ny\n"
	for _, tt := range []struct{ name, message, added string }{
		{"both", "Return-Path: <z@z>\nDelivered-To: joe@c\n" + rest, ""},
		{"Return-Path", "Return-Path: <z@z>\n" + rest, "Delivered-To: joe@c\n"},
		{"Delivered-To", "X-Original-To: x\nDelivered-To: Joe@C\n" + rest, "Return-Path: <a@b>\n"},
		{"another's Delivered-To", "Delivered-To: ann@c\n" + rest, "Return-Path: <a@b>\nDelivered-To: joe@c\n"},
		{"a Return-Path below Received is forged or old", "Received: x\nReturn-Path: <z@z>\n\ny\n", "Return-Path: <a@b>\nDelivered-To: joe@c\n"},
	} {
		h := mailHome(t)
		wants(t, deliver(t, h, tt.message, "-f", "a@b", "-a", "joe@c"), 0, "")
		t.Log(tt.name)
		holds(t, h+"/Maildir", tt.added+tt.message)
	}
}

func TestD17_Umask(t *testing.T) {
	t.Parallel()
	for _, mask := range []string{"000", "777", "022"} {
		h := home(t)
		wants(t, shell(t, h, strings.NewReader(hello), `umask `+mask+`; exec "$0"`), 0, "")
		for path, want := range map[string]os.FileMode{"": 0o700, "tmp": 0o700, "new": 0o700, "cur": 0o700, "new/*": 0o600} {
			match, _ := filepath.Glob(filepath.Join(h, "Maildir", path))
			if len(match) != 1 {
				t.Fatalf("umask %s: %q is %q", mask, path, match)
			}
			if st, err := os.Stat(match[0]); err != nil || st.Mode().Perm() != want {
				t.Errorf("umask %s: %q has mode %v, %v", mask, path, st.Mode(), err)
			}
		}
	}
}

func TestD17_Surroundings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, script string
		code         int
		stderr       string
	}{
		{"the working directory is gone", `d=$(mktemp -d); cd "$d"; rmdir "$d"; exec "$0"`, 0, ""},
		{"a relative path from there", `d=$(mktemp -d); cd "$d"; rmdir "$d"; exec "$0" Maildir`, 75, "4.3.0 "},
		{"standard output is closed", `exec "$0" >&-`, 0, ""},
		{"standard error is closed", `exec "$0" 2>&-`, 0, ""},
		{"all but standard input are closed, and it fails", `exec "$0" /nonexistent/Maildir >&- 2>&-`, 75, ""},
		{"a file size limit", `ulimit -f 0; exec "$0"`, 75, "4.3.1 "},
		{"ignored signals", `trap '' XFSZ PIPE ALRM TERM; exec "$0"`, 0, ""},
		{"too few descriptors", `ulimit -n 6; exec "$0"`, 75, "4.3.0 "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := mailHome(t)
			wants(t, shell(t, h, strings.NewReader(hello), tt.script), tt.code, tt.stderr)
			if tt.code == 0 {
				holds(t, h+"/Maildir", hello)
			} else {
				holds(t, h+"/Maildir")
			}
		})
	}
}

// waiting starts the program with a message that goes on, and returns once it
// has begun to write: then it also looks out for signals.
func waiting(t *testing.T, h string) (c *exec.Cmd, in io.WriteCloser, stderr *strings.Builder) {
	t.Helper()
	c = progtest.Command(t, []string{"HOME=" + h}, "deliver")
	stderr = &strings.Builder{}
	c.Stderr = stderr
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill() })
	if _, err := io.WriteString(in, large); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); len(names(t, h+"/Maildir/tmp")) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("nothing in tmp")
		}
	}
	return c, in, stderr
}

func TestD17_Signals(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		h := mailHome(t)
		c, _, stderr := waiting(t, h)
		c.Process.Signal(sig)
		c.Wait()
		wants(t, progtest.Result{Code: c.ProcessState.ExitCode(), Stderr: stderr.String()}, 75, "4.3.2 delivery was interrupted: ")
		holds(t, h+"/Maildir")
	}
	h := mailHome(t)
	c, in, stderr := waiting(t, h)
	for _, sig := range []syscall.Signal{syscall.SIGALRM, syscall.SIGPIPE, syscall.SIGXFSZ, syscall.SIGUSR1} {
		c.Process.Signal(sig)
	}
	in.Close()
	c.Wait()
	wants(t, progtest.Result{Code: c.ProcessState.ExitCode(), Stderr: stderr.String()}, 0, "")
	holds(t, h+"/Maildir", large)
}

func TestD18_WritableByOthers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		path string
		mode os.FileMode
		code int
		want string
	}{
		{"", 0o770, 75, "home"},
		{"", 0o702, 75, "home"},
		{"", 0o755, 0, ""},
		{"", 0o777 | os.ModeSticky, 0, ""},
		{"Maildir", 0o720, 75, "Maildir"},
		{"Maildir", 0o707, 75, "Maildir"},
		{"Maildir", 0o755, 0, ""},
		{"Maildir/.work", 0o770, 75, "Maildir"},
	} {
		h := mailHome(t, ".work")
		path := filepath.Join(h, tt.path)
		if err := os.Chmod(path, tt.mode); err != nil {
			t.Fatal(err)
		}
		want := ""
		if tt.code != 0 {
			want = fmt.Sprintf("4.3.5 mailbox cannot be used as it is set up: %s %s is writable by others (mode %04o); chmod go-w %s\n",
				tt.want, path, tt.mode.Perm(), path)
		}
		t.Logf("%q %v", tt.path, tt.mode)
		wants(t, deliver(t, h, hello, "-a", "joe+work@c"), tt.code, want)
	}
}

func TestD18_WrongOwner(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	for _, path := range []string{"", "Maildir"} {
		h := mailHome(t)
		if err := os.Chown(filepath.Join(h, path), 12345, 12345); err != nil {
			t.Fatal(err)
		}
		r := deliver(t, h, hello)
		wants(t, r, 75, "4.3.5 ")
		if !strings.Contains(r.Stderr, "belongs to uid 12345, and deliver runs as uid 0; run it as uid 12345") {
			t.Errorf("%q: %q", path, r.Stderr)
		}
		holds(t, h+"/Maildir")
	}
}

// cloned runs the program in namespaces of its own, or skips the test.
func cloned(t *testing.T, h string, flags uintptr, script string) {
	t.Helper()
	c := exec.Command("/bin/sh", "-c", script, progtest.Bin(t, "deliver"))
	c.Env = []string{"HOME=" + h, "PATH=" + os.Getenv("PATH")}
	c.Stdin = strings.NewReader(hello)
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags}
	out, err := c.CombinedOutput()
	if errors.Is(err, unix.EPERM) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func TestD19_SamePIDSameHost(t *testing.T) {
	t.Parallel()
	h := mailHome(t)
	for range 4 {
		cloned(t, h, unix.CLONE_NEWPID, `exec "$0"`)
	}
	got := names(t, h+"/Maildir/new")
	if len(got) != 4 || !strings.Contains(got[0], "P1Q") {
		t.Errorf("stored as %q", got)
	}
}

func TestD20_HostName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{`a/b:c,d`: `a\057b\072c\054d`, "": "localhost", strings.Repeat("h", 64): strings.Repeat("h", 40)} {
		h := mailHome(t)
		cloned(t, h, unix.CLONE_NEWUTS, `printf '`+name+`\n' >/proc/sys/kernel/hostname; exec "$0"`)
		got := names(t, h+"/Maildir/new")
		if len(got) != 1 || !strings.Contains(got[0], want) || strings.ContainsAny(got[0], "/:") {
			t.Errorf("%q: stored as %q", name, got)
		}
	}
}

func TestD21_Clock(t *testing.T) {
	t.Parallel()
	box := mailHome(t) + "/Maildir"
	p := place{maildir: part{box, "test"}}
	x, err := p.open(disk.OS)
	if err != nil {
		t.Fatal(err)
	}
	defer x.close()
	clock := []int64{1700000000, 0, -1, 1700000000}
	namer := &maildir.Namer{Host: "h", PID: 1, Rand: &repeat{text: []byte("random"), left: 1 << 10}, Now: func() time.Time {
		s := clock[0]
		clock = append(clock[1:], s)
		return time.Unix(s, 0)
	}}
	x.box.SetNamer(namer)
	var order []string
	for range 8 {
		d, err := x.box.Begin("")
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(d, hello)
		name, err := commit(d, x.inbox, "", mailboxFull)
		if err != nil {
			t.Fatal(err)
		}
		order = append(order, name)
	}
	if got := names(t, box+"/new"); len(got) != 8 || !slices.Equal(got, order) {
		t.Errorf("delivered as %q, sorted %q", order, got)
	}
}

// A kill loses nothing of what was done, a power cut any of what was not synced:
// the worlds of the model hold both, at each step.
func TestD22D23_KilledOrPowerCutAtEachStep(t *testing.T) {
	t.Parallel()
	for _, made := range []bool{true, false} {
		h := home(t)
		if made {
			h = mailHome(t)
		}
		r := disktest.Record(t, h)
		if err := inProcess(r, h+"/Maildir", strings.NewReader(large)); err != nil {
			t.Fatal(err)
		}
		r.Ack("message")
		n := disktest.Judge(t, r.Trace(), func(w *disktest.World, root string) error {
			got := messages(t, root+"/Maildir")
			if len(got) > 1 || len(got) == 1 && got[0] != ours+large {
				return fmt.Errorf("%d messages, not whole", len(got))
			}
			if w.Acked("message") && len(got) == 0 {
				return errors.New("the message is gone")
			}
			return nil
		})
		if n < 10 {
			t.Errorf("only %d worlds", n)
		}
	}
}

func TestD24_ManyDeliveriesOneLeft(t *testing.T) {
	t.Parallel()
	h := mailHome(t)
	write(t, h+"/Maildir/maildirsize", "5C\n100 4\n")
	for i := range 4 {
		write(t, fmt.Sprintf("%s/Maildir/cur/%d:2,", h, i), "old")
	}
	const n = 64
	codes := make(chan int, n)
	for range n {
		go func() { codes <- deliver(t, h, hello).Code }()
	}
	count := map[int]int{}
	for range n {
		count[<-codes]++
	}
	if count[0] != 1 || count[75] != n-1 {
		t.Errorf("exit codes %v", count)
	}
	if got := messages(t, h+"/Maildir"); len(got) != 5 {
		t.Errorf("%d messages", len(got))
	}
}

func TestD25_MaildirsizeDamaged(t *testing.T) {
	t.Parallel()
	for what, text := range map[string]string{
		"torn":      "1000S\n10",
		"negative":  "1000S\n-500 -1\n",
		"too large": "1000S\n" + strings.Repeat("1 1\n", 10<<20/4),
		"NULs":      strings.Repeat("\x00", 100),
		"empty":     "",
	} {
		h := mailHome(t)
		write(t, h+"/Maildir/maildirsize", text)
		write(t, h+"/Maildir/cur/1:2,", strings.Repeat("x", 100))
		t.Log(what)
		wants(t, deliver(t, h, hello, "--quota", "bytes=1000"), 0, "")
		b, err := os.ReadFile(h + "/Maildir/maildirsize")
		if string(b) != "1000S\n122 2\n" {
			t.Errorf("%s: maildirsize is %.100q, %v", what, b, err)
		}
	}
}

func TestD25_MaildirsizeIsASymbolicLink(t *testing.T) {
	t.Parallel()
	h := mailHome(t)
	victim := filepath.Join(t.TempDir(), "victim")
	write(t, victim, "1000S\n0 0\n")
	if err := os.Symlink(victim, h+"/Maildir/maildirsize"); err != nil {
		t.Fatal(err)
	}
	wants(t, deliver(t, h, hello, "--quota", "bytes=1000"), 0, "")
	if b, _ := os.ReadFile(victim); string(b) != "1000S\n0 0\n" {
		t.Errorf("the victim holds %q", b)
	}
	holds(t, h+"/Maildir", hello)
}

func TestD26_OverQuota(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{nil, 75, "4.2.2 mailbox is full: "},
		{[]string{"--over-quota", "wait"}, 75, "4.2.2 mailbox is full: "},
		{[]string{"--over-quota", "bounce"}, 100, "5.2.2 mailbox is full: "},
	} {
		h := mailHome(t, ".work")
		write(t, h+"/Maildir/.work/cur/1:2,", strings.Repeat("x", 80))
		wants(t, deliver(t, h, hello, append(tt.args, "--quota", "bytes=100")...), tt.code, tt.want)
		holds(t, h+"/Maildir")
		wants(t, deliver(t, h, hello, append(tt.args, "--quota", "bytes=102")...), 0, "")
		holds(t, h+"/Maildir", hello)
	}
}

// What was reserved for a message that could not be stored is given back.
func TestD26_FailureGivesRoomBack(t *testing.T) {
	t.Parallel()
	box := mailHome(t) + "/Maildir"
	write(t, box+"/maildirsize", "1000000S\n0 0\n")
	for range 3 {
		f := &disktest.Faulty{FS: disk.OS, Op: "sync", At: 1, Err: unix.EIO}
		if err := inProcess(f, box, strings.NewReader(hello)); err == nil {
			t.Fatal("stored")
		}
	}
	if err := inProcess(disk.OS, box, strings.NewReader(hello)); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(box + "/maildirsize"); !strings.HasSuffix(string(b), "-77 -1\n77 1\n") {
		t.Errorf("maildirsize is %q", b)
	}
}

// A delivery does not look through new and cur, so their size does not matter.
// Reading a directory moves its access time, if that is older than its change.
func TestD28_DirectoriesAreNotRead(t *testing.T) {
	t.Parallel()
	h := mailHome(t)
	old := time.Unix(1e9, 0)
	read := func(name string) bool {
		st, err := os.Stat(h + "/Maildir/" + name)
		if err != nil {
			t.Fatal(err)
		}
		a := st.Sys().(*syscall.Stat_t).Atim
		return time.Unix(a.Unix()).After(old)
	}
	age := func() {
		for _, name := range []string{"new", "cur"} {
			if err := os.Chtimes(h+"/Maildir/"+name, old, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
	}
	age()
	names(t, h+"/Maildir/new")
	if !read("new") {
		t.Skip("this file system notes no access times")
	}
	age()
	wants(t, deliver(t, h, hello), 0, "")
	for _, name := range []string{"new", "cur"} {
		if read(name) {
			t.Errorf("%s was read", name)
		}
	}
}

func TestD29_ReadOnly(t *testing.T) {
	t.Parallel()
	for at, op := range []string{"create", "link", "create", "sync"} {
		if code := fault(t, &disktest.Faulty{Op: op, At: 1, Err: unix.EROFS}); code != "4.3.0" {
			t.Errorf("%d %s: %q", at, op, code)
		}
	}
	h := mount(t, "")
	mkdir(t, h+"/Maildir/tmp")
	mkdir(t, h+"/Maildir/new")
	mkdir(t, h+"/Maildir/cur")
	if err := unix.Mount("", filepath.Dir(h), "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	r := deliver(t, h, hello)
	wants(t, r, 75, "4.3.0 cannot store the message now: ")
	if !strings.Contains(r.Stderr, "read-only") || !strings.Contains(r.Stderr, h+"/Maildir") {
		t.Errorf("%q", r.Stderr)
	}
}

func TestD30_TimesFromTheFuture(t *testing.T) {
	t.Parallel()
	h := mailHome(t)
	future := time.Now().Add(1000 * time.Hour)
	write(t, h+"/Maildir/new/9999999999.M0P1Q1.h", "old")
	for _, name := range []string{"new/9999999999.M0P1Q1.h", "new", "cur", "tmp", ""} {
		if err := os.Chtimes(h+"/Maildir/"+name, future, future); err != nil {
			t.Fatal(err)
		}
	}
	wants(t, deliver(t, h, hello), 0, "")
	holds(t, h+"/Maildir", "old", hello)
}
