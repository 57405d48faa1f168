package mailbox

import (
	"time"

	"rohrpost/maildir"
)

// settleWait is how long Close waits for a tick of the file system's clock.
const settleWait = 25 * time.Millisecond

// settle notes the state of the directories in the index, if all that changed them
// is known: events have told of it. So the next Open needs no scan.
func (b *Mailbox) settle() {
	if b.watch == nil || b.view == nil || b.err != nil || b.img.Head().Stamp != (maildir.Stamp{}) {
		return
	}
	now, err := b.m.Stamp()
	if err != nil {
		return
	}
	if !now.Past(time.Now()) {
		time.Sleep(settleWait)
		if now, err = b.m.Stamp(); err != nil || !now.Past(time.Now()) {
			return
		}
	}
	// Whatever had happened when the stamp was read has its event by now.
	if _, err := b.Sync(); err != nil || b.doubt || len(b.events) > 0 {
		return
	}
	b.update(func(u *update) error {
		again, err := b.m.Stamp()
		if err != nil || again != now {
			return err
		}
		b.drain()
		if b.doubt || !b.explain() {
			return nil
		}
		u.still = true
		u.head.Stamp = now
		return nil
	})
}
