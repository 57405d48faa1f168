package keyword_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
	"rohrpost/maildir/disk/disktest"
	"rohrpost/maildir/keyword"
	"rohrpost/maildir/uidlist"
)

func box(t *testing.T) *maildir.Maildir {
	t.Helper()
	m, err := maildir.Create(filepath.Join(t.TempDir(), "Maildir"), disktest.Fast)
	must(t, err)
	t.Cleanup(func() { m.Close() })
	return m
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func file(m *maildir.Maildir) string { return filepath.Join(m.Path(), keyword.Name) }

func write(t *testing.T, m *maildir.Maildir, text string) {
	t.Helper()
	must(t, os.WriteFile(file(m), []byte(text), 0o600))
}

func content(t *testing.T, m *maildir.Maildir) string {
	t.Helper()
	b, err := os.ReadFile(file(m))
	must(t, err)
	return string(b)
}

// text is the table as a string.
func text(tab *keyword.Table) string {
	var s []string
	for n := range keyword.Max {
		if name := tab.Name(n); name != "" {
			s = append(s, fmt.Sprintf("%d:%s", n, name))
		}
	}
	return strings.Join(s, " ")
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ about, file, want string }{
		{"as Dovecot writes it", "0 $MDNSent\n1 Work\n25 z\n", "0:$MDNSent 1:Work 25:z"},
		{"empty", "", ""},
		{"gaps and any order", "7 b\n3 a\n", "3:a 7:b"},
		{"the later line of one number counts", "3 a\n3 b\n", "3:b"},
		{"number out of range", "26 a\n-1 b\n256 c\n4294967297 d\n", ""},
		{"no number", "x a\n a\na\n1\n1 \n\n", ""},
		{"no LF at the end", "1 a", "1:a"},
		{"CRLF", "1 a\r\n", "1:a"},
		{"names that are no keywords", "0 a b\n1 a(b\n2 \\Seen\n3 a\x00b\n4 ü\n5 a]\n6 ok\n", "6:ok"},
	} {
		if got := text(keyword.Parse([]byte(c.file))); got != c.want {
			t.Errorf("%s: %q, want %q", c.about, got, c.want)
		}
	}
}

// RFC 9051 section 9: "Unless otherwise noted, all alphabetic characters are case
// insensitive."
func TestCaseOfKeywordsDoesNotCount(t *testing.T) {
	t.Parallel()
	m := box(t)
	_, err := keyword.Add(m, 0, "Work")
	must(t, err)
	tab, err := keyword.Add(m, 0, "WORK", "work")
	must(t, err)
	if n, ok := tab.Lookup("wOrK"); n != 0 || !ok || text(tab) != "0:Work" {
		t.Errorf("%d, %t, table %s", n, ok, text(tab))
	}
	if _, ok := tab.Lookup("wor\u212a"); ok { // KELVIN SIGN folds to k in Unicode
		t.Error("a letter that is not ASCII is taken for one")
	}
	if _, ok := tab.Lookup(""); ok {
		t.Error("the empty keyword is there")
	}
}

func TestAddTakesTheFirstFreeLetters(t *testing.T) {
	t.Parallel()
	m := box(t)
	write(t, m, "0 a\n2 c\n4 has blank\n")
	tab, err := keyword.Add(m, maildir.Keyword(1)|maildir.Keyword(5), "x", "c", "y")
	must(t, err)
	if text(tab) != "0:a 2:c 3:x 6:y" || tab.Name(-1) != "" || tab.Name(26) != "" {
		t.Errorf("table %s", text(tab))
	}
	if got, want := content(t, m), "0 a\n2 c\n3 x\n4 has blank\n6 y\n"; got != want {
		t.Errorf("file holds %q, want %q", got, want)
	}
	if left, _ := filepath.Glob(m.Path() + "/dovecot*"); len(left) != 1 {
		t.Errorf("files %v", left)
	}
}

func TestAddSaysWhenNoLetterIsLeft(t *testing.T) {
	t.Parallel()
	m := box(t)
	var names []string
	for n := range 25 {
		names = append(names, fmt.Sprintf("k%d", n))
	}
	tab, err := keyword.Add(m, 0, names...)
	must(t, err)
	if tab.Full() {
		t.Error("25 fill the table")
	}
	tab, err = keyword.Add(m, 0, "k3", "last", "none")
	if !errors.Is(err, keyword.ErrFull) || tab.Name(25) != "last" || !tab.Full() {
		t.Errorf("%v, table %s", err, text(tab))
	}
	again, err := keyword.Read(m.Dir())
	if err != nil || text(again) != text(tab) {
		t.Errorf("reads again as %s, %v", text(again), err)
	}
	if tab, err = keyword.Add(m, 0, "K3", "last"); err != nil || !tab.Full() {
		t.Errorf("names that are there: %v", err)
	}
}

func TestAddRefusesWhatIsNoKeyword(t *testing.T) {
	t.Parallel()
	m := box(t)
	for _, name := range []string{"", "a b", `\Seen`, "a\n1 b", "ü", "a]", "a%", strings.Repeat("a", 101)} {
		if _, err := keyword.Add(m, 0, "good", name); !errors.Is(err, keyword.ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := os.Stat(file(m)); err == nil {
		t.Error("there is a file")
	}
}

// Dovecot takes a file whose second of change is the same for unchanged.
func TestEveryChangeShowsInTheSecondOfTheFile(t *testing.T) {
	t.Parallel()
	m := box(t)
	last := int64(0)
	for i, ahead := range []time.Duration{0, 0, time.Hour, 0, -time.Hour} {
		if ahead != 0 {
			when := time.Now().Add(ahead)
			must(t, os.Chtimes(file(m), when, when))
			last = when.Unix()
		}
		_, err := keyword.Add(m, 0, fmt.Sprintf("k%d", i))
		must(t, err)
		st, err := os.Stat(file(m))
		must(t, err)
		if st.ModTime().Unix() <= last {
			t.Errorf("change %d: second %d after %d", i, st.ModTime().Unix(), last)
		}
		last = st.ModTime().Unix()
	}
}

func TestDamagedFileIsReadAsFarAsItMakesSense(t *testing.T) {
	t.Parallel()
	m := box(t)
	must(t, os.Symlink("/etc/passwd", file(m)))
	tab, err := keyword.Add(m, 0, "a")
	must(t, err)
	if st, err := os.Lstat(file(m)); err != nil || !st.Mode().IsRegular() || text(tab) != "0:a" {
		t.Errorf("%v, %v, table %s", st, err, text(tab))
	}
	must(t, os.Remove(file(m)))
	must(t, unix.Mkfifo(file(m), 0o600))
	if tab, err := keyword.Read(m.Dir()); err != nil || text(tab) != "" {
		t.Errorf("a FIFO: %v", err)
	}
	must(t, os.Remove(file(m)))
	write(t, m, "0 a\n"+strings.Repeat("1 bbbb\n", 100_000)+"2 c\n")
	if tab, err := keyword.Read(m.Dir()); err != nil || text(tab) != "0:a 1:bbbb" {
		t.Errorf("700 KB: %v, %s", err, text(tab))
	}
}

// Dovecot writes dovecot-keywords under the lock of dovecot-uidlist alone.
func TestAddTakesTheLockOfTheListOfUIDs(t *testing.T) {
	t.Parallel()
	m := box(t)
	lock, err := uidlist.Lock(m)
	must(t, err)
	added := make(chan error)
	go func() {
		_, err := keyword.Add(m, 0, "b")
		added <- err
	}()
	must(t, lock.Replace(keyword.Name, []byte("0 a\n"), time.Time{}))
	lock.Release()
	must(t, <-added)
	if got := content(t, m); got != "0 a\n1 b\n" {
		t.Errorf("file holds %q", got)
	}
}

func TestConcurrentAddsLoseNothing(t *testing.T) {
	t.Parallel()
	m := box(t)
	var wg sync.WaitGroup
	for w := range 5 {
		wg.Go(func() {
			for i := range 5 {
				if _, err := keyword.Add(m, 0, fmt.Sprintf("k%d-%d", w, i), "all"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	tab, err := keyword.Read(m.Dir())
	if err != nil || !tab.Full() {
		t.Errorf("%s, %v", text(tab), err)
	}
}

func TestAddedKeywordsSurviveEveryPowerCut(t *testing.T) {
	t.Parallel()
	made := box(t)
	write(t, made, "0 old\n")
	r := disktest.Record(t, filepath.Dir(made.Path()))
	m, err := maildir.Open(made.Path(), r)
	must(t, err)
	defer m.Close()
	for _, name := range []string{"a", "b"} {
		_, err := keyword.Add(m, 0, name)
		must(t, err)
		r.Ack(name)
	}
	n := disktest.Judge(t, r.Trace(), func(w *disktest.World, root string) error {
		m, err := maildir.Open(filepath.Join(root, "Maildir"), disktest.Fast)
		if err != nil {
			return err
		}
		defer m.Close()
		tab, err := keyword.Read(m.Dir())
		if err != nil {
			return err
		}
		for _, name := range append(w.Acks(), "old") {
			if _, ok := tab.Lookup(name); !ok {
				return fmt.Errorf("%s is not in %s", name, text(tab))
			}
		}
		return nil
	})
	if n < 10 {
		t.Errorf("only %d worlds", n)
	}
}

// FuzzParse: each name in the table is a keyword that Lookup finds, and Add of one
// more changes no other, whatever the file holds.
func FuzzParse(f *testing.F) {
	f.Add([]byte("0 $MDNSent\n1 Work\n25 z\n"))
	f.Add([]byte("0 a\n1 A\n2 a b\n\n3"))
	m, err := maildir.Create(filepath.Join(disktest.Memory(f), "Maildir"), disktest.Fast)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		write(t, m, string(b))
		old := keyword.Parse(b)
		for n := range keyword.Max {
			name := old.Name(n)
			if i, ok := old.Lookup(name); name != "" && (!ok || i > n || !strings.EqualFold(old.Name(i), name)) {
				t.Fatalf("keyword %d, %q, is found at %d, %t", n, name, i, ok)
			}
		}
		tab, err := keyword.Add(m, 0, "NewOne")
		if err != nil && !errors.Is(err, keyword.ErrFull) {
			t.Fatal(err)
		}
		again, err := keyword.Read(m.Dir())
		if err != nil || text(again) != text(tab) {
			t.Fatalf("%s reads again as %s, %v", text(tab), text(again), err)
		}
		for n := range keyword.Max {
			if old.Name(n) != "" && old.Name(n) != tab.Name(n) {
				t.Fatalf("keyword %d was %q and is %q", n, old.Name(n), tab.Name(n))
			}
		}
	})
}
