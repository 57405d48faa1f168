package mailbox

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"rohrpost/maildir"
)

func TestOnlyWhatOthersWroteLatelyIsSyncedBeforeACopy(t *testing.T) {
	t.Parallel()
	m := folder(t)
	ours := maildir.SystemNamer()
	base, err := ours.Next()
	if err != nil {
		t.Fatal(err)
	}
	put(t, m, "cur/1700000000.M1P1.other:2,")
	put(t, m, "cur/"+base+":2,")
	b := open(t, m, false)
	msgs := make([]maildir.Message, 2)
	for pos := range msgs {
		_, msgs[pos], _ = b.named(pos)
	}
	c := copying{b: b, durable: time.Now().Add(-time.Minute)}
	if young := c.young(msgs); len(young) != 1 || young[0].Base != "1700000000.M1P1.other" {
		t.Errorf("young: %v", young)
	}
	if err := c.solidify(msgs); err != nil {
		t.Error(err)
	}
	gone := msgs[0].WithFlags(maildir.Draft)
	if err := c.solidify([]maildir.Message{{Name: gone}}); err != nil {
		t.Errorf("a message that was renamed: %v", err)
	}

	// A new name is no new content.
	c.durable = time.Now().Add(time.Millisecond)
	time.Sleep(10 * time.Millisecond)
	if _, err := b.Store([]int{0}, Store{Add: maildir.Flagged}); err != nil {
		t.Fatal(err)
	}
	_, msgs[0], _ = b.named(0)
	if err := os.Link(filepath.Join(m.Path(), "cur", msgs[0].String()), filepath.Join(m.Path(), "tmp/link")); err != nil {
		t.Fatal(err)
	}
	if young := c.young(msgs); len(young) != 0 {
		t.Errorf("young after a rename and a link: %v", young)
	}
}

func TestManyYoungMessagesAreMadeDurableAtOnce(t *testing.T) {
	t.Parallel()
	m := folder(t)
	fill(t, m, 2*fewYoung)
	b := open(t, m, false)
	msgs := make([]maildir.Message, b.Len())
	for pos := range msgs {
		_, msgs[pos], _ = b.named(pos)
	}
	later := time.Now().Add(5 * time.Second)
	b.now = func() time.Time { return later }
	c := copying{b: b}
	if n := len(c.young(msgs)); n != len(msgs) {
		t.Fatalf("%d are young, want all", n)
	}
	if err := c.solidify(msgs); err != nil {
		t.Fatal(err)
	}
	if n := len(c.young(msgs)); n != 0 {
		t.Errorf("%d are still young", n)
	}
}
