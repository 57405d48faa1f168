package mailbox

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
	"rohrpost/maildir/index"
	"rohrpost/maildir/uidlist"
)

// sizes are the folders that benchmarks run on.
var sizes = []int{10_000, 100_000}

// large is a folder of n messages, in memory, with an index that describes it.
func large(b *testing.B, n int) *maildir.Maildir {
	b.Helper()
	m := folder(b)
	for i := range n {
		put(b, m, fmt.Sprintf("cur/17000%05d.M%dP1R0123456789abcdef.other,S=9000,W=9200:2,S", i, i))
	}
	age(b, m)
	closeBox(b, open(b, m, false))
	return m
}

func each(b *testing.B, do func(b *testing.B, m *maildir.Maildir, n int)) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m := large(b, n)
			b.ResetTimer()
			do(b, m, n)
		})
	}
}

func BenchmarkOpenWarm(b *testing.B) {
	each(b, func(b *testing.B, m *maildir.Maildir, n int) {
		for b.Loop() {
			closeBox(b, open(b, m, false))
		}
	})
}

// BenchmarkSelectWarm is what SELECT asks.
func BenchmarkSelectWarm(b *testing.B) {
	each(b, func(b *testing.B, m *maildir.Maildir, n int) {
		box := open(b, m, true)
		if _, err := box.Store([]int{n - 1}, Store{Remove: maildir.Seen}); err != nil {
			b.Fatal(err)
		}
		closeBox(b, box)
		for b.Loop() {
			box := open(b, m, false)
			if pos, ok := box.FirstUnseen(); !ok || pos != n-1 {
				b.Fatal(pos, ok)
			}
			closeBox(b, box)
		}
	})
}

func BenchmarkOpenCold(b *testing.B) {
	each(b, func(b *testing.B, m *maildir.Maildir, n int) {
		for b.Loop() {
			os.Remove(filepath.Join(m.Path(), index.IndexName))
			closeBox(b, open(b, m, false))
		}
	})
}

func BenchmarkOpenWithoutUIDs(b *testing.B) {
	each(b, func(b *testing.B, m *maildir.Maildir, n int) {
		for b.Loop() {
			os.Remove(filepath.Join(m.Path(), index.IndexName))
			os.Remove(filepath.Join(m.Path(), uidlist.Name))
			closeBox(b, open(b, m, false))
		}
	})
}

func BenchmarkFlagsOfAll(b *testing.B) {
	each(b, func(b *testing.B, m *maildir.Maildir, n int) {
		var heap runtime.MemStats
		runtime.ReadMemStats(&heap)
		before := heap.HeapAlloc
		box := open(b, m, true)
		box.UID(0)
		runtime.GC()
		runtime.ReadMemStats(&heap)
		b.ReportMetric(float64(int64(heap.HeapAlloc)-int64(before))/float64(n), "heap-B/msg")
		seen := 0
		for b.Loop() {
			for pos := range box.Len() {
				if box.At(pos).Flags&maildir.Seen != 0 {
					seen++
				}
			}
		}
	})
}

func BenchmarkStoreOneAndSync(b *testing.B) {
	each(b, func(b *testing.B, m *maildir.Maildir, n int) {
		box := open(b, m, true)
		box.UID(0)
		b.ResetTimer()
		i := 0
		for b.Loop() {
			s := Store{Add: maildir.Flagged}
			if i/n%2 == 1 {
				s = Store{Remove: maildir.Flagged}
			}
			if _, err := box.Store([]int{i % n}, s); err != nil {
				b.Fatal(err)
			}
			if _, err := box.Sync(); err != nil {
				b.Fatal(err)
			}
			i++
		}
	})
}

func BenchmarkStoreAll(b *testing.B) {
	each(b, func(b *testing.B, m *maildir.Maildir, n int) {
		box := open(b, m, true)
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		b.ResetTimer()
		i := 0
		for b.Loop() {
			s := Store{Add: maildir.Flagged}
			if i%2 == 1 {
				s = Store{Remove: maildir.Flagged}
			}
			if _, err := box.Store(all, s); err != nil {
				b.Fatal(err)
			}
			if _, err := box.Sync(); err != nil {
				b.Fatal(err)
			}
			i++
		}
	})
}

// BenchmarkCopyAll copies young messages of another program on a disk whose syncs
// are waited for.
func BenchmarkCopyAll(b *testing.B) {
	const n = 10_000
	path := filepath.Join(b.TempDir(), "Maildir")
	fill(b, folderAt(b, path), n)
	m, err := maildir.Open(path, disk.OS)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { m.Close() })
	box := open(b, m, true)
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		to, err := maildir.Create(filepath.Join(b.TempDir(), fmt.Sprint(i)), disk.OS)
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if done, err := box.Copy(all, to); err != nil || len(done.UIDs) != n {
			b.Fatal(done, err)
		}
		to.Close()
	}
}

func BenchmarkExpungeAll(b *testing.B) {
	const n = 10_000
	for b.Loop() {
		b.StopTimer()
		box := open(b, large(b, n), true)
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		b.StartTimer()
		if err := box.Expunge(all); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDeliveryHeard(b *testing.B) {
	each(b, func(b *testing.B, m *maildir.Maildir, n int) {
		box := open(b, m, true)
		box.UID(0)
		b.ResetTimer()
		i := 0
		for b.Loop() {
			b.StopTimer()
			put(b, m, fmt.Sprintf("new/18000%05d.M1P1.other", i))
			b.StartTimer()
			if changed, err := box.Sync(); err != nil || !changed {
				b.Fatal(changed, err)
			}
			i++
		}
	})
}

// BenchmarkDerivedOfAll asks for what SORT and ENVELOPE need of each message.
func BenchmarkDerivedOfAll(b *testing.B) {
	each(b, func(b *testing.B, m *maildir.Maildir, n int) {
		box := open(b, m, true)
		blob := make([]byte, 600)
		for pos := range n {
			box.Cache(pos, 1, blob)
		}
		closeBox(b, box)
		box = open(b, m, true)
		b.ResetTimer()
		for b.Loop() {
			for pos := range box.Len() {
				if _, ok := box.Cached(pos, 1); !ok {
					b.Fatal(pos)
				}
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/msg")
	})
}
