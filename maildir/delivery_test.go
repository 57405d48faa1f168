package maildir_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
