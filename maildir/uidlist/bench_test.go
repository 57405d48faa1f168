package uidlist_test

import (
	"fmt"
	"testing"
	"time"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
	"rohrpost/maildir/disk/disktest"
	"rohrpost/maildir/uidlist"
)

// names is n names of messages as deliveries give them, from the number first on.
func names(first, n int) []maildir.Name {
	all := make([]maildir.Name, n)
	for i := range all {
		all[i] = maildir.ParseName(fmt.Sprintf("%d.M%06dP77Q1R%016x.mx.example.org,S=2048,W=2100", 1700000000+first+i, i, first+i))
	}
	return all
}

func benchBox(b *testing.B, n int) *maildir.Maildir {
	m, err := maildir.Create(disktest.Memory(b)+"/Maildir", disktest.Fast)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { m.Close() })
	if _, err := uidlist.Assign(m, names(0, n), time.Now()); err != nil {
		b.Fatal(err)
	}
	return m
}

func BenchmarkRead(b *testing.B) {
	m := benchBox(b, 100_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := uidlist.Read(m.Dir()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAssign(b *testing.B) {
	for _, c := range []struct {
		about    string
		old, new int
		keep     bool
	}{
		{"one of 100000", 100_000, 1, false},
		{"one of 100000 known", 100_000, 1, true},
		{"one of 10", 10, 1, false},
		{"100000 of 100000", 0, 100_000, false},
	} {
		b.Run(c.about, func(b *testing.B) {
			b.ReportAllocs()
			m := benchBox(b, c.old)
			known := uidlist.Known{}
			at := c.old
			for b.Loop() {
				b.StopTimer()
				new := names(at, c.new)
				at += c.new
				if c.old == 0 {
					disk.OS.Remove(m.Dir(), uidlist.Name)
				}
				b.StartTimer()
				l, err := uidlist.AssignAfter(m, known, new, time.Now())
				if err != nil {
					b.Fatal(err)
				}
				if c.keep {
					known.List = l
				}
			}
		})
	}
}
