package queue

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rohrpost/maildir/disk"
)

func newQueue(t *testing.T) (*Queue, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "queue")
	q, err := Create(path, disk.OS)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	return q, path
}

func one(sender string, rcpts ...string) Envelope {
	env := Envelope{Sender: sender, Arrived: time.Unix(1767323045, 0)}
	for _, r := range rcpts {
		env.Recipients = append(env.Recipients, Recipient{Address: r})
	}
	return env
}

func put(t *testing.T, q *Queue, env Envelope, body string) string {
	t.Helper()
	p, err := q.Begin(env)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Write([]byte(body)); err != nil {
		t.Fatal(err)
	}
	if err := p.Commit(); err != nil {
		t.Fatal(err)
	}
	return p.ID()
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range list {
		out = append(out, e.Name())
	}
	return out
}

func TestPutPublishesOneWholeFile(t *testing.T) {
	t.Parallel()
	q, path := newQueue(t)
	body := "Received: by us\n\n" + strings.Repeat("line\n", 20_000)
	id := put(t, q, one("ann@example.org", "bob@Example.NET"), body)
	want := id + ",D=example.net,T=1767323045,A=0"
	if got := names(t, path+"/new"); len(got) != 1 || got[0] != want {
		t.Fatalf("new holds %q, want %q", got, want)
	}
	if got := names(t, path+"/tmp"); len(got) != 0 {
		t.Errorf("tmp holds %q", got)
	}
	b, err := os.ReadFile(path + "/new/" + want)
	if err != nil {
		t.Fatal(err)
	}
	block := "Return-Path: <ann@example.org>\nRecipient: <bob@Example.NET>\nArrival-Date: Fri, 02 Jan 2026 03:04:05 +0000\n\n"
	if string(b) != block+body {
		t.Errorf("file is %.300q", b)
	}
}

func TestAbortLeavesNothing(t *testing.T) {
	t.Parallel()
	q, path := newQueue(t)
	p, err := q.Begin(one("", "bob@example.net"))
	if err != nil {
		t.Fatal(err)
	}
	p.Abort()
	p.Abort()
	if _, err := p.Write([]byte("x")); err == nil {
		t.Error("a write after Abort went through")
	}
	if err := p.Commit(); err == nil {
		t.Error("a commit after Abort went through")
	}
	if got := append(names(t, path+"/tmp"), names(t, path+"/new")...); len(got) != 0 {
		t.Errorf("left %q", got)
	}
}
