package mailbox

import (
	"fmt"
	"testing"
)

// Entries that no record knows are read by each session that comes: after a command
// that made many there must be none.
func TestBlobsOfManyMessagesAreKnownToTheIndex(t *testing.T) {
	const n = 200
	m := folder(t)
	for i := range n {
		put(t, m, fmt.Sprintf("cur/17000%05d.M%dP1.mx:2,S", i, i))
	}
	b := open(t, m, false)
	b.Cache(0, 1, []byte("first"))
	b.Flush() // makes the file, which the index has to be told
	for pos := 1; pos < n; pos++ {
		b.Cache(pos, 1, []byte("first"))
	}
	b.Flush()
	closeBox(t, b)
	b = open(t, m, false)
	defer closeBox(t, b)
	for pos := range n {
		if blob, ok := b.Cached(pos, 1); !ok || string(blob) != "first" {
			t.Fatalf("message %d has %q, %t", pos, blob, ok)
		}
	}
	if b.cache.late > 0 {
		t.Errorf("%d entries had to be read to be found", b.cache.late)
	}
}
