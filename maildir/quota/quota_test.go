package quota_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
	"rohrpost/maildir/disk/disktest"
	"rohrpost/maildir/quota"
)

func create(t testing.TB) *maildir.Maildir {
	t.Helper()
	m, err := maildir.Create(filepath.Join(disktest.Memory(t), "Maildir"), disktest.Fast)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func put(t testing.TB, m *maildir.Maildir, size int) string {
	t.Helper()
	d, err := m.Begin("")
	if err != nil {
		t.Fatal(err)
	}
	d.Write([]byte(strings.Repeat("x", size)))
	name, err := d.Commit()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func file(m *maildir.Maildir) string { return filepath.Join(m.Path(), "maildirsize") }

func text(t testing.TB, m *maildir.Maildir) string {
	t.Helper()
	b, err := os.ReadFile(file(m))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t testing.TB, m *maildir.Maildir, s string) {
	t.Helper()
	if err := os.WriteFile(file(m), []byte(s), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestD26_MessageThatFitsIsNotedAndOneBeyondIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, rule string
		size       int64
		over       bool
	}{
		{"reaches the bytes exactly", "150S", 50, false},
		{"one byte beyond", "150S", 51, true},
		{"reaches the number exactly", "2C", 1 << 40, false},
		{"one message beyond", "1C", 0, true},
		{"within bytes, beyond the number", "1000S,1C", 1, true},
		{"within the number, beyond bytes", "100S,5C", 1, true},
		{"zero is no limit", "0S,0C", 1 << 40, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := create(t)
			put(t, m, 100)
			_, err := quota.Reserve(m, c.rule, c.size)
			if errors.Is(err, quota.ErrOver) != c.over || !c.over && err != nil {
				t.Fatalf("Reserve: %v", err)
			}
			if c.over && strings.HasSuffix(text(t, m), "\n100 1\n") == false {
				t.Errorf("the file counts the refused message: %q", text(t, m))
			}
		})
	}
}

func TestFileGrowsByChangesAsOthersWriteIt(t *testing.T) {
	t.Parallel()
	m := create(t)
	put(t, m, 100)
	r, err := quota.Reserve(m, "1000S,10C", 30)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := text(t, m), "1000S,10C\n130 2\n"; got != want {
		t.Errorf("after the first: %q, want %q", got, want)
	}
	if _, err := quota.Reserve(m, "1000S,10C", 7); err != nil {
		t.Fatal(err)
	}
	r.Release()
	quota.Add(m, quota.Usage{Bytes: -100, Messages: -1})
	if got, want := text(t, m), "1000S,10C\n130 2\n7 1\n-30 -1\n-100 -1\n"; got != want {
		t.Errorf("at the end: %q, want %q", got, want)
	}
}

func TestForeignFileIsBelievedAndItsLimitHoldsWithoutARule(t *testing.T) {
	t.Parallel()
	m := create(t)
	write(t, m, "2C,5000S\n      1000         1\n")
	if _, err := quota.Reserve(m, "", 10); err != nil {
		t.Fatal(err)
	}
	if got, want := text(t, m), "2C,5000S\n      1000         1\n10 1\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	// The file says two messages; there are none: it is counted before a no.
	age(t, m, time.Minute)
	if _, err := quota.Reserve(m, "", 10); err != nil {
		t.Fatal(err)
	}
	if got, want := text(t, m), "5000S,2C\n10 1\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWithoutRuleAndFileThereIsNoLimitAndNoFile(t *testing.T) {
	t.Parallel()
	m := create(t)
	r, err := quota.Reserve(m, "", 1<<50)
	if err != nil {
		t.Fatal(err)
	}
	r.Release()
	if _, err := os.Stat(file(m)); err == nil {
		t.Error("a file was made")
	}
}

func TestCountTakesFoldersAndForeignNames(t *testing.T) {
	t.Parallel()
	m := create(t)
	put(t, m, 100)
	f, err := m.CreateFolder("Lists")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	put(t, f, 20)
	if err := os.WriteFile(filepath.Join(f.Path(), "cur", "1.foreign:2,ST"), []byte("four"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := quota.Reserve(m, "1000S", 1); err != nil {
		t.Fatal(err)
	}
	if got, want := text(t, m), "1000S\n125 4\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestD25_DamagedFileIsCountedAnew(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]string{
		"empty":               "",
		"no end of line":      "1000S\n5 1",
		"limit only":          "1000S\n",
		"torn limit":          "100",
		"negative sum":        "1000S\n-5 -1\n",
		"negative messages":   "1000S\n5 -1\n",
		"words":               "1000S\nfive one\n",
		"three numbers":       "1000S\n1 2 3\n",
		"a number too large":  "1000S\n99999999999999999999 1\n",
		"NUL":                 "1000S\n\x005 1\n",
		"10 MB":               "1000S\n" + strings.Repeat("0 0\n", 10<<18),
		"another limit":       "7S,8C\n5 1\n",
		"more than 5120 byte": "1000S\n" + strings.Repeat("0 00\n", 1100), // 5121 of them end a line
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := create(t)
			put(t, m, 100)
			write(t, m, damage)
			if _, err := quota.Reserve(m, "1000S", 11); err != nil {
				t.Fatal(err)
			}
			if got, want := text(t, m), "1000S\n111 2\n"; got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

func TestD25_FileThatIsNoneIsReplacedUntouched(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(path, target string) error{
		"symlink":  func(path, target string) error { return os.Symlink(target, path) },
		"dangling": func(path, target string) error { return os.Symlink(target+".absent", path) },
		"fifo":     func(path, target string) error { return unix.Mkfifo(path, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := create(t)
			target := filepath.Join(t.TempDir(), "target")
			if err := os.WriteFile(target, []byte("1000S\n5 1\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := make(file(m), target); err != nil {
				t.Fatal(err)
			}
			if _, err := quota.Reserve(m, "1000S", 11); err != nil {
				t.Fatal(err)
			}
			if st, err := os.Lstat(file(m)); err != nil || !st.Mode().IsRegular() {
				t.Errorf("the file is %v, %v", st.Mode(), err)
			}
			if got, want := text(t, m), "1000S\n11 1\n"; got != want {
				t.Errorf("%q, want %q", got, want)
			}
			if b, _ := os.ReadFile(target); string(b) != "1000S\n5 1\n" {
				t.Errorf("written through the link: %q", b)
			}
			if _, err := os.Stat(target + ".absent"); err == nil {
				t.Error("made what the link pointed to")
			}
		})
	}
}

func TestD25_OversizedFileWithoutRuleKeepsItsLimit(t *testing.T) {
	t.Parallel()
	m := create(t)
	put(t, m, 100)
	write(t, m, "1C\n"+strings.Repeat("0 0\n", 1300))
	if _, err := quota.Reserve(m, "", 1); !errors.Is(err, quota.ErrOver) {
		t.Errorf("Reserve: %v", err)
	}
	if got, want := text(t, m), "1C\n100 1\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// age makes the file look as old as that.
func age(t *testing.T, m *maildir.Maildir, by time.Duration) {
	t.Helper()
	then := time.Now().Add(-by)
	if err := os.Chtimes(file(m), then, then); err != nil {
		t.Fatal(err)
	}
}

func TestD26_FullMailboxIsCountedBeforeANoUnlessThatCannotHelp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		old        time.Duration
		counted    bool
	}{
		{"a count is believed for a quarter of an hour", "1C\n100 1\n", 14 * time.Minute, false},
		{"an old count is not", "1C\n100 1\n", 16 * time.Minute, true},
		{"changes are not", "1C\n50 0\n50 1\n", time.Minute, true},
		{"changes are while deliveries may be under way", "1C\n50 0\n50 1\n", 5 * time.Second, false},
	} {
		m := create(t) // holds no message at all
		write(t, m, c.text)
		age(t, m, c.old)
		if _, err := quota.Reserve(m, "1C", 1); errors.Is(err, quota.ErrOver) == c.counted {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestD24_DeliveriesAtOnceDoNotExceedTheQuotaTogether(t *testing.T) {
	t.Parallel()
	m := create(t)
	put(t, m, 100)
	const limit = 8
	var stored atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			own, err := maildir.Open(m.Path(), disktest.Fast)
			if err != nil {
				t.Error(err)
				return
			}
			defer own.Close()
			switch _, err := quota.Reserve(own, strconv.Itoa(limit)+"C", 10); {
			case err == nil:
				put(t, own, 10)
				stored.Add(1)
			case !errors.Is(err, quota.ErrOver):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := stored.Load(); n != limit-1 {
		t.Errorf("%d messages more were stored, %d fit", n, limit-1)
	}
	limitLine, rest, _ := strings.Cut(text(t, m), "\n")
	if limitLine != strconv.Itoa(limit)+"C" || rest == "" {
		t.Errorf("the file is %q", text(t, m))
	}
}

func TestD24_DeliveryWaitsForTheOneThatHasTheFile(t *testing.T) {
	t.Parallel()
	m := create(t)
	write(t, m, "1C\n0 0\n")
	f, err := os.OpenFile(file(m), os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK}); err != nil {
		t.Fatal(err)
	}
	result := make(chan error, 1)
	go func() {
		_, err := quota.Reserve(m, "1C", 10)
		result <- err
	}()
	select {
	case err := <-result:
		t.Fatalf("did not wait: %v", err)
	case <-time.After(50 * time.Millisecond): // one that waits cannot be too late for this
	}
	if _, err := f.WriteString("10 1\n"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-result; !errors.Is(err, quota.ErrOver) {
		t.Errorf("after the other delivery took the room: %v", err)
	}
}

func TestBadRuleIsTheAdministratorsError(t *testing.T) {
	t.Parallel()
	m := create(t)
	for _, rule := range []string{"x", "5", "5X", "-1S", "5SC", "5S,", "S", "5S 6C", "99999999999999999999S"} {
		if _, err := quota.Reserve(m, rule, 1); err == nil || errors.Is(err, quota.ErrOver) || !strings.Contains(err.Error(), "write it like") {
			t.Errorf("rule %q: %v", rule, err)
		}
	}
}
