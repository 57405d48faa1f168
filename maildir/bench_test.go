package maildir_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
)

// fill puts n empty files with names like ours into cur.
func fill(b testing.TB, m *maildir.Maildir, n int) {
	b.Helper()
	for i := range n {
		name := fmt.Sprintf("%d.M%06dP1234Q%dR%016x.mx1,S=%d,W=%d:2,S", 1700000000+i/7, i%1000000, i, i*7919, 4096+i%999, 4200+i%999)
		fd, err := unix.Openat(m.Dir().Fd(), "cur/"+name, unix.O_CREAT|unix.O_WRONLY, 0o600)
		if err != nil {
			b.Fatal(err)
		}
		unix.Close(fd)
	}
}

func BenchmarkScan100k(b *testing.B) {
	m := create(b)
	fill(b, m, 100_000)
	b.Run("getdents", func(b *testing.B) {
		d, err := disk.OpenDir(filepath.Join(m.Path(), "cur"))
		if err != nil {
			b.Fatal(err)
		}
		defer d.Close()
		for b.Loop() {
			d.Names(func([]byte, uint64, byte) bool { return true })
		}
	})
	b.Run("Scan", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			scan(b, m)
		}
	})
	l := scan(b, m)
	b.Run("Sort", func(b *testing.B) {
		for b.Loop() {
			l.Sort()
		}
	})
	b.Run("At", func(b *testing.B) {
		var sum int64
		for b.Loop() {
			for i := range l.Len() {
				sum += l.At(i).WireSize
			}
		}
	})
}

func BenchmarkDelivery4K(b *testing.B) {
	text := strings.Repeat("a line of some sixty characters, as they are in messages.....\n", 66)
	// On a memory file system, what counts is what we do ourselves.
	for _, root := range []string{"/dev/shm", ""} {
		b.Run("in "+root, func(b *testing.B) {
			dir, err := os.MkdirTemp(root, "rp-bench")
			if err != nil {
				b.Skip(err)
			}
			defer os.RemoveAll(dir)
			m, err := maildir.Create(filepath.Join(dir, "Maildir"), disk.OS)
			if err != nil {
				b.Fatal(err)
			}
			defer m.Close()
			b.ReportAllocs()
			for b.Loop() {
				deliver(b, m, "", text)
			}
		})
	}
}
