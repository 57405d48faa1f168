package maildir_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
	"rohrpost/maildir/disk/disktest"
)

// create makes an empty Maildir.
func create(t testing.TB) *maildir.Maildir {
	t.Helper()
	m, err := maildir.Create(filepath.Join(t.TempDir(), "Maildir"), disktest.Fast)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// deliver puts a message into m and returns its name.
func deliver(t testing.TB, m *maildir.Maildir, base, text string) string {
	t.Helper()
	name, err := tryDeliver(m, base, text)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func tryDeliver(m *maildir.Maildir, base, text string) (string, error) {
	d, err := m.Begin(base)
	if err != nil {
		return "", err
	}
	if _, err := io.WriteString(d, text); err != nil {
		d.Abort()
		return "", err
	}
	return d.Commit()
}

func scan(t testing.TB, m *maildir.Maildir) *maildir.Listing {
	t.Helper()
	l, err := m.Scan()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestDeliveredMessageIsListedWithItsSizesAndReadsBack(t *testing.T) {
	t.Parallel()
	m := create(t)
	text := "Subject: x\n\nbare\ncrlf\r\nend"
	name := deliver(t, m, "", text)
	if !strings.HasSuffix(name, ",S=26,W=29") {
		t.Errorf("name %q lacks the sizes 26 and 29", name)
	}
	l := scan(t, m)
	if l.Len() != 1 {
		t.Fatalf("%d messages listed", l.Len())
	}
	msg := l.At(0)
	if !msg.New || msg.String() != name || msg.Size != 26 || msg.WireSize != 29 {
		t.Errorf("listed as %+v", msg)
	}
	f, _, err := m.OpenMessage(msg)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if b, err := io.ReadAll(f); string(b) != text || err != nil {
		t.Errorf("read %q, %v", b, err)
	}
	if left, _ := os.ReadDir(filepath.Join(m.Path(), "tmp")); len(left) != 0 {
		t.Errorf("left in tmp: %v", left)
	}
}

func TestSizeIsKnownWhileTheMessageIsWritten(t *testing.T) {
	t.Parallel()
	m := create(t)
	d, err := m.Begin("")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Abort()
	for i, want := range []int64{4, 8} {
		io.WriteString(d, "a\r\n\n")
		if stored, wire := d.Size(); stored != want || wire != want+int64(i)+1 {
			t.Errorf("after %d writes %d and %d", i+1, stored, wire)
		}
	}
}

func TestNamesComeFromTheNamerThatWasSet(t *testing.T) {
	t.Parallel()
	m := create(t)
	m.SetNamer(namer("mx", time.Unix(1700000000, 0)))
	folder, err := m.CreateFolder("Lists")
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	if name, want := deliver(t, folder, "", "x\n"), "1700000000.M000000P77Q1R0000000000000000.mx,S=2,W=3"; name != want {
		t.Errorf("%q, want %q", name, want)
	}
}

func TestReplaceShowsTheOldFileOrTheNewOne(t *testing.T) {
	t.Parallel()
	m := create(t)
	write := func(m *maildir.Maildir, text string) error {
		return m.Replace("rohrpost.test", func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return err
		})
	}
	if err := write(m, "old"); err != nil {
		t.Fatal(err)
	}
	for _, op := range []string{"create", "write", "close", "rename"} {
		f := &disktest.Faulty{FS: disktest.Fast, Op: op, At: 1, Err: unix.ENOSPC}
		if err := write(through(t, m, f), "new"); !errors.Is(err, unix.ENOSPC) {
			t.Errorf("%s: error %v", op, err)
		}
		if b, err := os.ReadFile(filepath.Join(m.Path(), "rohrpost.test")); string(b) != "old" || err != nil {
			t.Errorf("%s: the file is %q, %v", op, b, err)
		}
		if inTmp(t, m) != 0 {
			t.Errorf("%s: left in tmp", op)
		}
	}
	if err := write(m, "new"); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(m.Path(), "rohrpost.test")); string(b) != "new" || err != nil {
		t.Errorf("the file is %q, %v", b, err)
	}
}
