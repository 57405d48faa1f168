package index

import (
	"path/filepath"
	"testing"

	"rohrpost/maildir"
	"rohrpost/maildir/disk/disktest"
)

func TestI30_LockOfADeadProcessIsFreeAndThatOfAStoppedOneIsBusy(t *testing.T) {
	t.Parallel()
	m, err := maildir.Create(filepath.Join(disktest.Memory(t), "Maildir"), disktest.Fast)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var locks [2]*Lock
	for i := range locks {
		if locks[i], err = OpenLock(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := locks[0].Lock(); err != nil {
		t.Fatal(err)
	}
	if err := locks[1].lock(0); err != ErrBusy {
		t.Errorf("a lock that is held: %v", err)
	}
	locks[0].Close() // as the kernel does for who dies
	if err := locks[1].lock(0); err != nil {
		t.Errorf("a lock whose holder died: %v", err)
	}
	locks[1].Unlock()
	locks[1].Close()
}
