package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/maildir/disk"
	"rohrpost/maildir/disk/disktest"
)

// The catalogue's rows about disks that fail, fill up, lose power or are large
// (D05 to D10, D22, D23, D28, D29). Faults are injected below the deliverer in
// this process; real disks meet the program.

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
