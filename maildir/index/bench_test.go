package index

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
)

// BenchmarkInventory is a foreign Maildir of 20,000 messages of 9 KB, in memory: on
// first sight, after a change, and unchanged.
func BenchmarkInventory(b *testing.B) {
	root, err := os.MkdirTemp("/dev/shm", "rp-bench")
	if err != nil {
		b.Skip(err)
	}
	defer os.RemoveAll(root)
	m, err := maildir.Create(filepath.Join(root, "Maildir"), disk.OS)
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	text := bytes.Repeat([]byte("a line of some sixty characters, as they are in messages.....\n"), 148)
	const n = 20_000
	for i := range n {
		if err := os.WriteFile(fmt.Sprintf("%s/cur/17000%05d.M%dP1.other:2,S", m.Path(), i, i), text, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	for _, sight := range []string{"first", "changed", "unchanged"} {
		b.Run(sight, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				switch sight {
				case "first":
					os.Remove(sizesPath(m))
				case "changed":
					age(b, m) // changes a time, and no name
				}
				x, err := TakeInventory(m)
				if err != nil {
					b.Fatal(err)
				}
				x.Close()
			}
		})
	}
}

// BenchmarkLarge is what large is chosen by, on a disk: what a session pays at its
// end to write the file, and what the next one saves by it.
func BenchmarkLarge(b *testing.B) {
	for _, n := range []int{100, large, 10 * large} {
		m, err := maildir.Create(filepath.Join(b.TempDir(), "Maildir"), disk.OS)
		if err != nil {
			b.Fatal(err)
		}
		defer m.Close()
		for i := range n {
			put(b, m, fmt.Sprintf("cur/%d.M%06dP1.mx,S=4000,W=4100:2,S", 1700000000+i/1000, i), "")
		}
		age(b, m)
		c, err := takeCount(m, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("list %d", n), func(b *testing.B) {
			for b.Loop() {
				takeCount(m, nil)
			}
		})
		b.Run(fmt.Sprintf("write %d", n), func(b *testing.B) {
			for b.Loop() {
				writeSizes(m, c)
			}
		})
		b.Run(fmt.Sprintf("use %d", n), func(b *testing.B) {
			for b.Loop() {
				x, err := TakeInventory(m)
				if err != nil || x.list != nil {
					b.Fatal(err)
				}
				x.Close()
			}
		})
	}
}
