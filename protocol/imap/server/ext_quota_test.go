package server

import "testing"

func TestStorageCountsKilobytesUpwards(t *testing.T) {
	for bytes, want := range map[int64]int64{0: 0, 1: 1, 1024: 1, 1025: 2, 1 << 62: 1 << 52} {
		if got := kilobytes(bytes); got != want {
			t.Errorf("%d bytes are %d, want %d", bytes, got, want)
		}
	}
}
