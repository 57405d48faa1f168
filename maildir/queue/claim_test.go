package queue

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/maildir/disk"
)

func scan(t *testing.T, q *Queue) *Listing {
	t.Helper()
	l, err := q.Scan()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func claim(t *testing.T, q *Queue, entries ...Entry) *Claim {
	t.Helper()
	c, err := q.Claim(entries, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func mustOpen(t *testing.T, path string) *Queue {
	t.Helper()
	q, err := Open(path, disk.OS)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	return q
}

func TestClaimGivesTheMessageByteForByte(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 100, firstRead - 200, firstRead, 3 * firstRead} {
		q, _ := newQueue(t)
		body := strings.Repeat("0123456\n", size/8+1)[:size]
		put(t, q, one("ann@example.org", "bob@example.net"), body)
		c := claim(t, q, scan(t, q).Entries...)
		for range 2 {
			if b, err := io.ReadAll(c.Message()); err != nil || string(b) != body {
				t.Errorf("%d bytes: read %d, %v", size, len(b), err)
			}
		}
		if c.Size != int64(size) || c.Envelope.Sender != "ann@example.org" {
			t.Errorf("%d bytes: Size %d, %+v", size, c.Size, c.Envelope)
		}
	}
}

func TestQ18_OneOfTwoRelaysGetsTheClaim(t *testing.T) {
	t.Parallel()
	q, path := newQueue(t)
	put(t, q, one("", "a@x.example"), "m\n")
	other := mustOpen(t, path)
	e := scan(t, q).Entries[0]
	first := claim(t, q, e)
	if _, err := other.Claim([]Entry{e}, nil); !errors.Is(err, ErrBusy) {
		t.Errorf("the second got %v", err)
	}
	if err := q.Done(e); err != nil {
		t.Fatal(err)
	}
	first.Close()
	if _, err := other.Claim([]Entry{e}, nil); !errors.Is(err, ErrGone) {
		t.Errorf("after the first was done, the second got %v", err)
	}
}

// Between a scan and the lock the other relay may finish: its name must be looked
// up again under the lock.
func TestQ18_NameIsLookedUpUnderTheLock(t *testing.T) {
	t.Parallel()
	q, _ := newQueue(t)
	put(t, q, one("", "a@x.example"), "m\n")
	e := scan(t, q).Entries[0]
	c := &Claim{q: q}
	if err := c.open(e); err != nil {
		t.Fatal(err)
	}
	if err := q.Done(e); err != nil {
		t.Fatal(err)
	}
	if err := c.take(e); !errors.Is(err, ErrGone) {
		t.Errorf("took a name that had gone: %v", err)
	}
	c.Close()
}

func TestQ19_StoppedRelayBlocksOnlyItsRecipients(t *testing.T) {
	t.Parallel()
	q, path := newQueue(t)
	put(t, q, one("", "a@x.example", "b@x.example", "c@x.example"), "m\n")
	c := claim(t, q, scan(t, q).Entries...)
	if err := c.Expand(false); err != nil {
		t.Fatal(err)
	}
	c.Close()
	l := scan(t, q)
	stopped := claim(t, q, l.Entries[1])
	other := mustOpen(t, path)
	rest := claim(t, other, l.Entries...)
	if len(rest.Entries) != 2 || rest.Entries[0].R != 1 || rest.Entries[1].R != 3 {
		t.Errorf("claimed %+v", rest.Entries)
	}
	stopped.Close()
}

func TestExpandGivesEachRecipientAName(t *testing.T) {
	t.Parallel()
	q, path := newQueue(t)
	id := put(t, q, one("", "a@x.example", "b@y.example"), "m\n")
	c := claim(t, q, scan(t, q).Entries...)
	if err := c.Expand(false); err != nil {
		t.Fatal(err)
	}
	want := []string{id + ",R=1,D=x.example,T=1767323045,A=0:2,", id + ",R=2,D=y.example,T=1767323045,A=0:2,"}
	if got := names(t, path+"/cur"); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("cur holds %q", got)
	}
	if got := names(t, path+"/new"); len(got) != 0 {
		t.Errorf("new holds %q", got)
	}
	if len(c.Entries) != 2 {
		t.Errorf("claim is for %+v", c.Entries)
	}
}

// A crash in the middle repeats the links; flags that somebody set meanwhile count.
func TestExpandAgainRespectsFlags(t *testing.T) {
	t.Parallel()
	q, path := newQueue(t)
	env := one("", "a@x.example", "b@x.example", "c@x.example")
	put(t, q, env, "m\n")
	whole := scan(t, q).Entries[0]
	if _, err := q.linkAll(whole, &env, nil); err != nil {
		t.Fatal(err)
	}
	list := names(t, path+"/cur")
	for i, flag := range []string{"F", "T"} {
		if err := os.Rename(path+"/cur/"+list[i], path+"/cur/"+list[i]+flag); err != nil {
			t.Fatal(err)
		}
	}
	c := claim(t, q, whole)
	if err := c.Expand(true); err != nil {
		t.Fatal(err)
	}
	if len(c.Entries) != 1 || c.Entries[0].R != 3 {
		t.Errorf("claim is for %+v", c.Entries)
	}
	if l := scan(t, q); len(l.Entries) != 3 || len(l.Surplus) != 0 {
		t.Errorf("queue holds %+v and %+v", l.Entries, l.Surplus)
	}
}

func TestQ16_FilesThatAreNoEntries(t *testing.T) {
	t.Parallel()
	q, path := newQueue(t)
	name := func(n int) string { return fmt.Sprintf("%s/new/%d.mx,D=x,T=1,A=0", path, n) }
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte(someBlock), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		os.Symlink(outside, name(1)), unix.Mkfifo(name(2), 0o600), os.Mkdir(name(3), 0o700),
		os.WriteFile(path+"/new/README", nil, 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	l := scan(t, q)
	if len(l.Entries) != 0 || len(l.Strangers) != 4 {
		t.Errorf("entries %+v, strangers %q", l.Entries, l.Strangers)
	}
	for n := 1; n <= 3; n++ {
		e, _ := ParseName(filepath.Base(name(n)), InNew)
		if _, err := q.Claim([]Entry{e}, nil); err == nil || errors.Is(err, ErrGone) || errors.Is(err, ErrBusy) {
			t.Errorf("claim of %s: %v", name(n), err)
		}
	}
}

func TestQ16_FileOfAnotherUser(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("needs root to give a file away")
	}
	q, path := newQueue(t)
	put(t, q, one("", "a@x.example"), "m\n")
	e := scan(t, q).Entries[0]
	if err := os.Chown(path+"/new/"+e.name, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if _, err := q.Claim([]Entry{e}, nil); !errors.Is(err, ErrForeign) {
		t.Errorf("claim: %v", err)
	}
}

func TestQ15_BrokenFilesCannotBeClaimed(t *testing.T) {
	t.Parallel()
	q, path := newQueue(t)
	for name, text := range map[string]string{
		"zero":      "",
		"torn":      someBlock[:len(someBlock)-2],
		"garbage":   strings.Repeat("\x00\xff", 1000),
		"recipient": "",
		"endless":   "Return-Path: <>\n" + strings.Repeat("Recipient: <b@c>\n", maxBlock/16),
	} {
		file := "1." + name + ",D=x,T=1,A=0"
		if name == "recipient" {
			text, file = someBlock, "1.recipient,R=2,D=x,T=1,A=0"
		}
		if err := os.WriteFile(path+"/new/"+file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		e, ok := ParseName(file, InNew)
		if !ok {
			t.Fatal(file)
		}
		var bad *EnvelopeError
		if _, err := q.Claim([]Entry{e}, nil); !errors.As(err, &bad) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCopiesWithoutHardLinksAreClaimedOneByOne(t *testing.T) {
	t.Parallel()
	q, path := newQueue(t)
	for r := 1; r <= 2; r++ {
		block := "Return-Path: <>\nRecipient: <a@x>\nRecipient: <b@x>\nArrival-Date: Fri, 02 Jan 2026 03:04:05 +0000\n\nm\n"
		if err := os.WriteFile(fmt.Sprintf("%s/cur/1.mx,R=%d,D=x,T=1,A=0:2,", path, r), []byte(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l := scan(t, q)
	first := claim(t, q, l.Entries...)
	if len(first.Entries) != 1 {
		t.Fatalf("claimed %+v", first.Entries)
	}
	second := claim(t, q, l.Entries[1])
	if len(second.Entries) != 1 || second.Entries[0].R == first.Entries[0].R {
		t.Errorf("claimed %+v and %+v", first.Entries, second.Entries)
	}
}

func TestReadShowsAnEntry(t *testing.T) {
	t.Parallel()
	q, _ := newQueue(t)
	put(t, q, one("ann@example.org", "bob@example.net"), "Subject: hi\n\nho\n")
	env, f, size, err := q.Read(scan(t, q).Entries[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil || string(b) != "Subject: hi\n\nho\n" || size != int64(len(b)) || env.Sender != "ann@example.org" {
		t.Errorf("%q, %d, %+v, %v", b, size, env, err)
	}
}

func TestQ24_ScanOpensNothing(t *testing.T) {
	t.Parallel()
	q, path := newQueue(t)
	// Mode 0 and no content: whoever opens it fails or finds nothing.
	if err := os.WriteFile(path+"/closed", nil, 0); err != nil {
		t.Fatal(err)
	}
	for i := range 2000 {
		name := fmt.Sprintf("%s/cur/%d.mx,D=x.example,T=%d,A=0:2,", path, i+1, i)
		if err := os.Link(path+"/closed", name); err != nil {
			t.Fatal(err)
		}
	}
	l := scan(t, q)
	if len(l.Entries) != 2000 || l.Entries[0].Next.IsZero() {
		t.Errorf("%d entries", len(l.Entries))
	}
	for i := 1; i < len(l.Entries); i++ {
		if l.Entries[i-1].ID >= l.Entries[i].ID {
			t.Fatalf("%s before %s", l.Entries[i-1].ID, l.Entries[i].ID)
		}
	}
}

func BenchmarkScan100k(b *testing.B) {
	path := filepath.Join(b.TempDir(), "queue")
	q, err := Create(path, disk.OS)
	if err != nil {
		b.Fatal(err)
	}
	for i := range 100_000 {
		e := Entry{ID: fmt.Sprintf("1767323045.M%dP77Q%dR0123456789abcdef.mx", i, i), Domain: "x.example", Next: time.Unix(int64(i), 0)}
		if err := os.WriteFile(path+"/cur/"+e.curName(""), nil, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if l, err := q.Scan(); err != nil || len(l.Entries) != 100_000 {
			b.Fatal(err)
		}
	}
}
