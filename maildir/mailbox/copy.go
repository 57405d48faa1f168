package mailbox

import (
	"cmp"
	"errors"
	"io/fs"
	"math/bits"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
	"rohrpost/maildir/index"
	"rohrpost/maildir/keyword"
)

// Copied is what Copy and Move did: From[i] has become UIDs[i] (COPYUID). From
// ascends.
type Copied struct {
	Validity uint32 // of the folder copied to
	From     []UID
	UIDs     []UID

	positions []int
}

// Copy gives the messages at positions a second name in the folder to, with
// flags, keywords by their names, internal date and ObjectID. Messages that are
// gone are left out. When it returns without error, no power cut loses a copy;
// after an error, none of them is there.
func (b *Mailbox) Copy(positions []int, to *maildir.Maildir) (Copied, error) {
	c := copying{b: b, before: headOf(to), batch: to.Batch()}
	defer c.batch.Abort()
	if !b.ready() {
		return Copied{}, b.err
	}
	if err := c.keywords(positions, to); err != nil {
		return Copied{}, err
	}
	for range rounds {
		missing, err := c.link(positions)
		if err != nil {
			return Copied{}, err
		}
		if positions = missing; len(missing) == 0 {
			break
		}
		b.doubt = true
		if _, err := b.Sync(); err != nil {
			return Copied{}, err
		}
	}
	return c.publish(to)
}

// Move is Copy and then Expunge. At every instant each message is in one of the
// folders at least; a crash may leave it in both.
func (b *Mailbox) Move(positions []int, to *maildir.Maildir) (Copied, error) {
	done, err := b.Copy(positions, to)
	if err != nil {
		return done, err
	}
	return done, b.Expunge(done.positions)
}

// copying is a Copy under way.
type copying struct {
	b         *Mailbox
	before    index.Head // of the folder copied to, before there was a copy
	batch     *maildir.Batch
	positions []int // of what is in the batch
	letters   [32]maildir.Flags
	durable   time.Time // what was written before, the disk has
}

// link puts messages into the batch, and returns those that are not there.
func (c *copying) link(positions []int) (missing []int, err error) {
	for part := range slices.Chunk(positions, chunk) {
		lost, err := c.linkChunk(part)
		if err != nil {
			return nil, err
		}
		missing = append(missing, lost...)
	}
	return missing, nil
}

func (c *copying) linkChunk(positions []int) (missing []int, err error) {
	msgs, which := make([]maildir.Message, 0, len(positions)), make([]int, 0, len(positions))
	for _, pos := range positions {
		if _, msg, ok := c.b.named(pos); ok {
			msgs, which = append(msgs, msg), append(which, pos)
		}
	}
	if err := c.solidify(msgs); err != nil {
		return nil, err
	}
	for i, msg := range msgs {
		switch err := c.batch.Copy(c.b.m, msg, c.flags(msg.Flags)); {
		case err == nil:
			c.positions = append(c.positions, which[i])
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESTALE):
			missing = append(missing, which[i])
		default:
			return nil, err
		}
	}
	return missing, nil
}

// writeBack is when kernels have written the data of a file that nobody synced, by
// a wide margin: Linux does after 30 seconds.
const writeBack = 2 * time.Minute

// fewYoung is how many files are synced one by one. More of them cost less with all
// that the file system has to write, by one call.
const fewYoung = 16

// solidify makes the data of young files durable that another program may have
// stored without a sync. What we stored was synced.
func (c *copying) solidify(msgs []maildir.Message) error {
	now := c.b.now()
	if old := now.Add(-writeBack); c.durable.Before(old) {
		c.durable = old
	}
	young := c.young(msgs)
	if len(young) > fewYoung {
		// A file's times are those of a clock that ticks; a second covers that.
		c.durable = now.Add(-time.Second)
		return c.b.m.DirOf(young[0]).SyncData()
	}
	for _, msg := range young {
		err := c.b.m.DirOf(msg).SyncDataOf(msg.String())
		if errors.Is(err, fs.ErrNotExist) {
			return c.b.m.DirOf(msg).SyncData() // whatever it is called now
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// young is those of msgs whose data may not be durable yet. One that is not there
// counts, since it may be back in a moment.
func (c *copying) young(msgs []maildir.Message) (young []maildir.Message) {
	for _, msg := range msgs {
		if maildir.Ours(msg.Base) {
			continue
		}
		written, err := c.b.m.DirOf(msg).Written(msg.String())
		if err != nil || written.After(c.durable) {
			young = append(young, msg)
		}
	}
	return young
}

// keywords finds out which letters the keywords of the messages have in to. Those
// for which there is no letter left are not copied.
func (c *copying) keywords(positions []int, to *maildir.Maildir) error {
	var used maildir.Flags
	for _, pos := range positions {
		if r, ok := c.b.at(pos); ok {
			used |= r.Flags
		}
	}
	for n := range 6 {
		c.letters[n] = 1 << n
	}
	if used < maildir.Keyword(0) {
		return nil
	}
	from, err := keyword.Read(c.b.m.Dir())
	if err != nil {
		return err
	}
	var names []string
	for n := range 26 {
		if name := from.Name(n); used&maildir.Keyword(n) != 0 && name != "" {
			names = append(names, name)
		}
	}
	there, err := keyword.Add(to, 0, names...)
	if err != nil && !errors.Is(err, keyword.ErrFull) {
		return err
	}
	for n := range 26 {
		if k, ok := there.Lookup(from.Name(n)); ok && from.Name(n) != "" {
			c.letters[6+n] = maildir.Keyword(k)
		}
	}
	return nil
}

// flags is flags as they are in the other folder.
func (c *copying) flags(f maildir.Flags) (there maildir.Flags) {
	for ; f != 0; f &= f - 1 {
		there |= c.letters[bits.TrailingZeros32(uint32(f))]
	}
	return there
}

// publish ends the copying.
func (c *copying) publish(to *maildir.Maildir) (done Copied, err error) {
	msgs, err := c.batch.Commit()
	if err != nil || len(msgs) == 0 {
		return done, err
	}
	order := make([]int, len(msgs))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(c.positions[a], c.positions[b]) })
	sorted := make([]maildir.Message, len(msgs))
	for i, k := range order {
		sorted[i] = msgs[k]
		done.positions = append(done.positions, c.positions[k])
		done.From = append(done.From, c.b.UID(c.positions[k]))
	}
	done.Validity, done.UIDs, err = assign(to, c.before, sorted, c.b.now())
	return done, err
}
