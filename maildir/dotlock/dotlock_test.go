package dotlock

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/maildir/disk"
	"rohrpost/maildir/disk/disktest"
)

const (
	file  = "list"
	life  = 2 * time.Minute
	short = 20 * time.Millisecond // how long tests wait for a lock that they do not get
)

func openDir(t *testing.T) *disk.Dir {
	t.Helper()
	d, err := disk.OpenDir(t.TempDir())
	must(t, err)
	t.Cleanup(func() { d.Close() })
	return d
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// leave puts a lock file there.
func leave(t *testing.T, d *disk.Dir, text string) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(d.Path(), file+suffix), []byte(text), 0o600))
}

func hostname(t *testing.T) string {
	t.Helper()
	host, err := os.Hostname()
	must(t, err)
	return host
}

// sleeper is a process that lives until the test ends or kill is called.
func sleeper(t *testing.T) (pid int, kill func()) {
	t.Helper()
	cmd := exec.Command("sleep", "600")
	must(t, cmd.Start())
	kill = sync.OnceFunc(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	t.Cleanup(kill)
	return cmd.Process.Pid, kill
}

func TestLockFileSaysWhoseItIsAndGoes(t *testing.T) {
	t.Parallel()
	d := openDir(t)
	l, err := Take(disk.OS, d, file, life)
	must(t, err)
	b, err := os.ReadFile(filepath.Join(d.Path(), file+suffix))
	if want := fmt.Sprintf("%d:%s", os.Getpid(), hostname(t)); err != nil || string(b) != want {
		t.Errorf("lock file holds %q, %v, want %q", b, err, want)
	}
	must(t, l.Keep())
	l.Release()
	if _, err := d.Stat(file + suffix); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after Release: %v", err)
	}
}

func TestOneHolderAtATime(t *testing.T) {
	t.Parallel()
	d := openDir(t)
	held, most := 0, 0
	var mu sync.Mutex
	count := func(by int) {
		mu.Lock()
		defer mu.Unlock()
		held += by
		most = max(most, held)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				l, err := Take(disk.OS, d, file, life)
				if err != nil {
					t.Error(err)
					return
				}
				count(1)
				count(-1)
				l.Release()
			}
		})
	}
	wg.Wait()
	if most != 1 {
		t.Errorf("%d held the lock at once", most)
	}
}

func TestI30LockOfADeadProcessIsFreeAtOnce(t *testing.T) {
	t.Parallel()
	d := openDir(t)
	pid, kill := sleeper(t)
	kill()
	for _, end := range []string{"", "\n"} {
		leave(t, d, strconv.Itoa(pid)+":"+hostname(t)+end)
		l, err := take(disk.OS, d, file, life, time.Second)
		must(t, err)
		l.Release()
	}
}

func TestI30LockOfAStoppedProcessIsWaitedFor(t *testing.T) {
	t.Parallel()
	d := openDir(t)
	pid, kill := sleeper(t)
	must(t, unix.Kill(pid, unix.SIGSTOP))
	leave(t, d, strconv.Itoa(pid)+":"+hostname(t))
	before, err := d.Stat(file + suffix)
	must(t, err)
	if _, err := take(disk.OS, d, file, life, short); !errors.Is(err, ErrBusy) {
		t.Errorf("error %v", err)
	}
	if after, err := d.Stat(file + suffix); err != nil || after.Ino != before.Ino || after.Mtim != before.Mtim {
		t.Errorf("the lock was touched: %v", err)
	}
	got := make(chan error)
	go func() {
		l, err := Take(disk.OS, d, file, life)
		if err == nil {
			l.Release()
		}
		got <- err
	}()
	kill()
	must(t, <-got)
}

// Another process of our own that is stopped holds the lock of the directory.
func TestI30OwnLockIsWaitedForAndEndsWithItsHolder(t *testing.T) {
	t.Parallel()
	d := openDir(t)
	l, err := Take(disk.OS, d, file, life)
	must(t, err)
	if _, err := take(disk.OS, d, file, life, short); !errors.Is(err, ErrBusy) {
		t.Errorf("error %v", err)
	}
	must(t, l.Keep())
	l.dir.Close() // what the kernel does for a process that dies; the lock file stays
	l, err = take(disk.OS, d, file, life, time.Second)
	must(t, err)
	l.Release()
}

func TestWhichLocksAreDead(t *testing.T) {
	t.Parallel()
	alive, _ := sleeper(t)
	gone, kill := sleeper(t)
	kill()
	host := hostname(t)
	var up unix.Timespec
	must(t, unix.ClockGettime(unix.CLOCK_BOOTTIME, &up))
	rebooted := time.Duration(up.Nano()) + time.Hour
	for _, c := range []struct {
		about, text string
		after       time.Duration // how much later we look
		dead        bool
	}{
		{"a living process, for long", fmt.Sprintf("%d:%s", alive, host), time.Minute, false},
		{"a dead process", fmt.Sprintf("%d:%s", gone, host), 0, true},
		{"an earlier process with our pid", fmt.Sprintf("%d:%s", os.Getpid(), host), 0, true},
		{"a living pid, but of before the start of this machine", fmt.Sprintf("%d:%s", alive, host), rebooted, true},
		{"another machine", fmt.Sprintf("%d:not-%s", gone, host), time.Minute, false},
		{"another machine, unchanged for long", fmt.Sprintf("%d:not-%s", gone, host), life + time.Minute, true},
		{"empty, just made", "", 0, false},
		{"empty, its holder was killed before it could sign", "", unsigned + time.Second, true},
		{"no host", strconv.Itoa(gone), 0, false},
		{"no number", "x:" + host, 0, false},
		{"pid 0", "0:" + host, 0, false},
		{"pid of everybody", "-1:" + host, 0, false},
		{"too large a pid", "99999999999:" + host, 0, false},
	} {
		d := openDir(t)
		leave(t, d, c.text)
		l := &Lock{fs: disk.OS, dir: d, name: file, sole: true, staleAfter: life}
		if _, dead := l.dead(time.Now().Add(c.after)); dead != c.dead {
			t.Errorf("%s: dead is %t", c.about, dead)
		}
	}
}

// A holder on another machine changes the file instead of touching its lock.
func TestLockLivesAsLongAsItsFileChanges(t *testing.T) {
	t.Parallel()
	d := openDir(t)
	leave(t, d, "1:elsewhere")
	must(t, os.WriteFile(filepath.Join(d.Path(), file), nil, 0o600))
	now := time.Now().Add(life + time.Minute)
	must(t, os.Chtimes(filepath.Join(d.Path(), file), now, now))
	l := &Lock{fs: disk.OS, dir: d, name: file, sole: true, staleAfter: life}
	if _, dead := l.dead(now.Add(time.Second)); dead {
		t.Error("dead")
	}
}

// What is left of our pid is no leftover where nothing keeps ourselves apart.
func TestOwnPidIsNotStaleWithoutTheLockOfTheDirectory(t *testing.T) {
	t.Parallel()
	d := openDir(t)
	leave(t, d, fmt.Sprintf("%d:%s", os.Getpid(), hostname(t)))
	l := &Lock{fs: disk.OS, dir: d, name: file, staleAfter: life}
	if _, dead := l.dead(time.Now()); dead {
		t.Error("dead")
	}
}

func TestLockThatWasTakenAwayIsLostAndNotRemoved(t *testing.T) {
	t.Parallel()
	d := openDir(t)
	l, err := Take(disk.OS, d, file, life)
	must(t, err)
	path := filepath.Join(d.Path(), file+suffix)
	must(t, os.WriteFile(path+"2", []byte("1:elsewhere"), 0o600))
	must(t, os.Rename(path+"2", path)) // another inode, as after remove and create
	if err := l.Keep(); !errors.Is(err, ErrLost) {
		t.Errorf("Keep: %v", err)
	}
	if err := l.Replace(file, []byte("new"), time.Time{}); !errors.Is(err, ErrLost) {
		t.Errorf("Replace: %v", err)
	}
	l.Release()
	if left, _ := filepath.Glob(d.Path() + "/*"); len(left) != 1 || left[0] != path {
		t.Errorf("files %v", left)
	}
}

func TestLockThatIsHeldForLongIsTouched(t *testing.T) {
	t.Parallel()
	d := openDir(t)
	l, err := Take(disk.OS, d, file, life)
	must(t, err)
	defer l.Release()
	old := time.Now().Add(-time.Hour)
	must(t, os.Chtimes(filepath.Join(d.Path(), file+suffix), old, old))
	must(t, l.Keep())
	if st, err := d.Stat(file + suffix); err != nil || int64(st.Mtim.Sec) != old.Unix() {
		t.Errorf("touched at once: %v, %v", st.Mtim, err)
	}
	l.touched = old
	must(t, l.Keep())
	if st, err := d.Stat(file + suffix); err != nil || int64(st.Mtim.Sec) == old.Unix() {
		t.Errorf("not touched: %v", err)
	}
}

func TestReplaceCleansUpAfterAFailureAndAKill(t *testing.T) {
	t.Parallel()
	d := openDir(t)
	must(t, os.WriteFile(filepath.Join(d.Path(), file), []byte("old"), 0o600))
	must(t, os.WriteFile(filepath.Join(d.Path(), file+".tmp"), []byte("left by a kill"), 0o600))
	for _, op := range []string{"write", "sync", "close", "rename"} {
		l, err := Take(disk.OS, d, file, life)
		must(t, err)
		l.fs = &disktest.Faulty{FS: disk.OS, Op: op, At: 1, Err: unix.EIO}
		if err := l.Replace(file, []byte("new"), time.Time{}); !errors.Is(err, unix.EIO) {
			t.Errorf("%s fails: %v", op, err)
		}
		l.Release()
		if b, err := os.ReadFile(filepath.Join(d.Path(), file)); err != nil || string(b) != "old" {
			t.Errorf("%s fails: file holds %q, %v", op, b, err)
		}
		if left, _ := filepath.Glob(d.Path() + "/*"); len(left) != 1 {
			t.Errorf("%s fails: files %v", op, left)
		}
	}
	l, err := Take(disk.OS, d, file, life)
	must(t, err)
	defer l.Release()
	mtime := time.Unix(2000000000, 0)
	must(t, l.Replace(file, []byte("new"), mtime))
	st, err := os.Stat(filepath.Join(d.Path(), file))
	if b, _ := os.ReadFile(filepath.Join(d.Path(), file)); err != nil || string(b) != "new" || !st.ModTime().Equal(mtime) {
		t.Errorf("file holds %q of %v, %v", b, st.ModTime(), err)
	}
}

// A disk that is full takes no signature; nobody shall wait for that lock.
func TestLockThatCannotBeSignedIsRemoved(t *testing.T) {
	t.Parallel()
	d := openDir(t)
	if _, err := Take(&disktest.Faulty{FS: disk.OS, Op: "write", At: 1, Err: unix.ENOSPC}, d, file, life); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("error %v", err)
	}
	if _, err := d.Stat(file + suffix); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("lock file: %v", err)
	}
}

// Whatever a lock file holds, only a number and our host name a process.
func FuzzHolder(f *testing.F) {
	host, err := os.Hostname()
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{"12:" + host, "12:" + host + "\n", "-1:" + host, "12", ":", "12:x:y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		pid, ok := parseHolder(s)
		if !ok {
			return
		}
		if again, ok := parseHolder(fmt.Sprintf("%d:%s", pid, host)); !ok || again != pid || pid <= 0 {
			t.Fatalf("%q is of process %d, and that of %d, %t", s, pid, again, ok)
		}
	})
}
