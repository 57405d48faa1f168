package queue

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/maildir/disk"
	"rohrpost/maildir/disk/disktest"
)

const dropBlock = "Return-Path: <ann@mx.example> AUTH=root@mx.example\nRecipient: <bob@example.net>\nArrival-Date: Thu, 01 Jan 1970 00:00:00 +0000\nClient: forged\n\n"

var dropNow = time.Unix(1767323045, 0).UTC()

func drop(t *testing.T, path, name, text string) {
	t.Helper()
	tmp := filepath.Join(path, "drop/tmp", name)
	if err := os.WriteFile(tmp, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(tmp, filepath.Join(path, "drop/new", name)); err != nil {
		t.Fatal(err)
	}
}

func TestDropIsOpenForWritingOnly(t *testing.T) {
	t.Parallel()
	_, path := newQueue(t)
	for _, name := range []string{"drop/tmp", "drop/new"} {
		st, err := os.Stat(filepath.Join(path, name))
		if err != nil || st.Mode() != os.ModeDir|os.ModeSticky|0o733 {
			t.Errorf("%s: %v, %v", name, st.Mode(), err)
		}
	}
}

func TestDropIsCopiedNotedRemoved(t *testing.T) {
	t.Parallel()
	q, path := newQueue(t)
	drop(t, path, "1.mail", dropBlock+"Subject: hi\r\n\r\nbody\r\nlone \r stays\n"+strings.Repeat("x", putBuffer)+"\r\nend")
	got, err := q.Drops()
	if err != nil || len(got) != 1 {
		t.Fatalf("%q, %v", got, err)
	}
	d, err := q.TakeDrop(got[0], "mx.example", dropNow, 0, false)
	if err != nil || d.UID != uint32(os.Getuid()) {
		t.Fatalf("%+v, %v", d, err)
	}
	c := claim(t, q, only(t, q))
	b, err := io.ReadAll(c.Message())
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	if !strings.HasPrefix(text, "Received: by mx.example (rohrpost, from uid ") ||
		!strings.HasSuffix(text, "\nSubject: hi\n\nbody\nlone \r stays\n"+strings.Repeat("x", putBuffer)+"\nend") {
		t.Errorf("message is %.400q", text)
	}
	env := c.Envelope
	if env.Sender != "ann@mx.example" || env.Auth != "" || !strings.HasPrefix(env.Client, "uid ") || !env.Arrived.Equal(dropNow) {
		t.Errorf("envelope %+v", env)
	}
	if got := names(t, path+"/drop/new"); len(got) != 0 {
		t.Errorf("drop/new holds %q", got)
	}
}

func TestDropIsTakenOnceThoughACrashCameBetween(t *testing.T) {
	t.Parallel()
	q, path := newQueue(t)
	drop(t, path, "1.mail", dropBlock+"m\n")
	// The first removal is in tmp, the second in the drop.
	sick, err := Open(path, &disktest.Faulty{FS: disk.OS, Op: "remove", At: 2, Err: unix.EIO})
	if err != nil {
		t.Fatal(err)
	}
	defer sick.Close()
	if _, err := sick.TakeDrop("1.mail", "mx", dropNow, 0, false); !errors.Is(err, unix.EIO) {
		t.Fatalf("removal failed, and TakeDrop says %v", err)
	}
	if _, err := q.TakeDrop("1.mail", "mx", dropNow.Add(time.Hour), 0, true); err != nil {
		t.Fatal(err)
	}
	only(t, q)
	if got := append(names(t, path+"/drop/new"), names(t, path+"/tmp")...); len(got) != 0 {
		t.Errorf("left %q", got)
	}
}

func TestQ16_DropFollowsNoLinks(t *testing.T) {
	t.Parallel()
	q, path := newQueue(t)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(dropBlock+"secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(path, "drop/new", name) }
	for _, err := range []error{os.Symlink(secret, at("symlink")), os.Link(secret, at("hardlink")), unix.Mkfifo(at("fifo"), 0o600), os.Mkdir(at("dir"), 0o700)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	drop(t, path, "broken", "no envelope\n\n")
	drop(t, path, "large", dropBlock+strings.Repeat("x", 1001))
	for _, name := range []string{"symlink", "hardlink", "fifo", "dir", "broken", "large"} {
		if _, err := q.TakeDrop(name, "mx", dropNow, 1000, false); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if l := scan(t, q); len(l.Entries) != 0 {
		t.Errorf("queue holds %+v", l.Entries)
	}
	if got := names(t, path+"/drop/new"); len(got) != 6 {
		t.Errorf("drop/new holds %q: what is refused stays", got)
	}
	if _, err := q.TakeDrop("absent", "mx", dropNow, 0, false); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
	if _, err := q.TakeDrop("fifo", "mx", dropNow, 0, false); !errors.Is(err, disk.ErrNotRegular) {
		t.Errorf("fifo: %v", err)
	}
}
