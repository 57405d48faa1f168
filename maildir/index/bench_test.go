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

// BenchmarkSizes is a foreign Maildir of 20,000 messages of 9 KB, in memory, on
// first and on second sight.
func BenchmarkSizes(b *testing.B) {
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
	for _, sight := range []string{"first", "second"} {
		b.Run(sight, func(b *testing.B) {
			b.SetBytes(int64(n * len(text)))
			for b.Loop() {
				if sight == "first" {
					os.Remove(sizesFile(m))
				}
				sized(b, m)
			}
		})
	}
}
