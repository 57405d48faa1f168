package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"rohrpost/maildir"
	"rohrpost/maildir/keyword"
	"rohrpost/maildir/subscription"
	"rohrpost/maildir/uidlist"
)

// folders is where they work.
var folders = []string{"INBOX", "Work.a"}

// serial numbers messages.
var serial atomic.Int64

func nextID(by string) string { return fmt.Sprintf("%s-%d", by, serial.Add(1)) }

// keywords is what either gives; case differs to see who minds.
var keywords = []string{"Work", "work", "$MDNSent", "later", "LATER", "Junk"}

// byTurns lets one work, then the other, then compares.
func (h *host) byTurns(r *rand.Rand, turns int) error {
	s, err := h.session()
	if err != nil {
		return err
	}
	if _, err := s.do("CREATE %s", folders[1]); err != nil {
		return err
	}
	s.close()
	for turn := range turns {
		work := h.ourTurn
		if turn%2 == 0 {
			work = h.theirTurn
		}
		if err := work(r, 4); err != nil {
			return fmt.Errorf("turn %d: %w", turn, err)
		}
		if err := h.compare(fmt.Sprintf("turn %d", turn)); err != nil {
			return fmt.Errorf("turn %d: %w", turn, err)
		}
	}
	return nil
}

// theirTurn is a session of Dovecot.
func (h *host) theirTurn(r *rand.Rand, steps int) error {
	s, err := h.session()
	if err != nil {
		return err
	}
	defer s.close()
	folder := folders[r.IntN(2)]
	v, err := s.look(folder)
	if err != nil {
		return err
	}
	h.told.note("dovecot", folder, v)
	for range steps {
		if err := h.theirStep(s, r, folder, v); err != nil {
			return err
		}
	}
	return nil
}

func (h *host) theirStep(s *session, r *rand.Rand, folder string, v view) (err error) {
	uid := anyOf(r, v)
	switch k := keywords[r.IntN(len(keywords))]; r.IntN(6) {
	case 0, 1:
		err = s.append(folder, k, nextID("dovecot"))
	case 2:
		_, err = s.do(`UID STORE %d +FLAGS (\Seen %s)`, uid, k)
	case 3:
		_, err = s.do(`UID STORE %d -FLAGS (\Seen %s)`, uid, k)
	case 4:
		if _, err = s.do(`UID STORE %d +FLAGS (\Deleted)`, uid); err == nil {
			_, err = s.do("EXPUNGE")
		}
	case 5:
		_, err = s.do("%s %s", []string{"SUBSCRIBE", "UNSUBSCRIBE"}[r.IntN(2)], folder)
	}
	return err
}

// anyOf is a UID of the view, or 1.
func anyOf(r *rand.Rand, v view) uint32 {
	uids := make([]uint32, 0, len(v.messages))
	for uid := range v.messages {
		uids = append(uids, uid)
	}
	slices.Sort(uids)
	if len(uids) == 0 {
		return 1
	}
	return uids[r.IntN(len(uids))]
}

// ourTurn is what our programs do, and mail readers that work on the files.
func (h *host) ourTurn(r *rand.Rand, steps int) error {
	folder := folders[r.IntN(2)]
	m, err := h.open(folder)
	if err != nil {
		return err
	}
	defer m.Close()
	for range steps {
		if err := h.ourStep(m, r, folder); err != nil && !errors.Is(err, maildir.ErrGone) {
			return err
		}
	}
	v, err := h.look(folder)
	h.told.note("we", folder, v)
	return err
}

func (h *host) ourStep(m *maildir.Maildir, r *rand.Rand, folder string) error {
	list, err := m.Scan()
	if err != nil {
		return err
	}
	what := r.IntN(7)
	if list.Len() == 0 {
		what = 0
	}
	var msg maildir.Message
	if list.Len() > 0 {
		msg = list.At(r.IntN(list.Len()))
	}
	switch what {
	case 0, 1:
		return deliver(m, nextID("we"))
	case 2:
		names, err := keyword.Add(m, 0, keywords[r.IntN(len(keywords))])
		if err != nil {
			return err
		}
		n := r.IntN(keyword.Max)
		if names.Name(n) == "" {
			n = 0
		}
		return setFlags(m, msg, maildir.Keyword(n)|maildir.Flagged, maildir.Seen)
	case 3:
		if h.together { // Dovecot makes another message of it if it is the first to see it
			return setFlags(m, msg, maildir.Replied, maildir.Flagged)
		}
		return renameLikeMbsync(m, msg)
	case 4:
		return m.Expunge([]maildir.Message{msg})
	case 5:
		return compact(m)
	default:
		root, err := h.open("INBOX")
		if err != nil {
			return err
		}
		defer root.Close()
		return subscription.Set(root, folder, r.IntN(2) == 0)
	}
}

// setFlags renames under the lock of the list of UIDs, as Dovecot does: otherwise
// its listing can miss the message, and gives it another UID when it is back.
func setFlags(m *maildir.Maildir, msg maildir.Message, add, remove maildir.Flags) error {
	lock, err := uidlist.Lock(m)
	if err != nil {
		return err
	}
	defer lock.Release()
	_, err = m.SetFlags(msg, add, remove)
	return err
}

func deliver(m *maildir.Maildir, id string) error {
	d, err := m.Begin("")
	if err != nil {
		return err
	}
	if _, err := d.Write([]byte(message(id))); err != nil {
		d.Abort()
		return err
	}
	_, err = d.Commit()
	return err
}

// renameLikeMbsync puts a number of its own into a name.
func renameLikeMbsync(m *maildir.Maildir, msg maildir.Message) error {
	dir := "cur"
	if msg.New {
		dir = "new"
	}
	n := msg.Name
	if n.Info == "" {
		n.Info = ":2,"
	}
	err := os.Rename(filepath.Join(m.Path(), dir, msg.String()), filepath.Join(m.Path(), "cur", n.Base+n.Fields+",U=7"+n.Info))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// compact drops what a settled listing of later does not have.
func compact(m *maildir.Maildir) error {
	old, err := uidlist.Read(m.Dir())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	list, err := m.Scan()
	if err != nil || !list.Settled {
		return err
	}
	_, err = uidlist.Compact(m, func(base string) bool { return old.UID(base) != 0 && list.Find(base) < 0 })
	return err
}

// atOnce lets two of each work at the same time, and compares when they have ended.
func (h *host) atOnce(r *rand.Rand, span time.Duration) error {
	h.together = true
	end := time.Now().Add(span)
	var wg sync.WaitGroup
	errs := make(chan error, 4)
	for _, work := range []func(*rand.Rand, int) error{h.ourTurn, h.ourTurn, h.theirTurn, h.theirTurn} {
		own := rand.New(rand.NewPCG(r.Uint64(), 0))
		wg.Go(func() {
			for time.Now().Before(end) {
				if err := work(own, 10); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		return err
	}
	return h.compare("at the end")
}

var listed = regexp.MustCompile(`LSUB \([^)]*\) "\." "?([^"]*)"?$`)

// compareSubscriptions holds our list to Dovecot's.
func (h *host) compareSubscriptions(s *session, when string) error {
	lines, err := s.do(`LSUB "" *`)
	if err != nil {
		return err
	}
	var theirs []string
	for _, line := range lines {
		if m := listed.FindStringSubmatch(line); m != nil {
			theirs = append(theirs, m[1])
		}
	}
	m, err := h.open("INBOX")
	if err != nil {
		return err
	}
	defer m.Close()
	ours, err := subscription.Read(m)
	if err != nil {
		return err
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	if !slices.Equal(ours, theirs) {
		h.told.complain("%s: we are subscribed to %q, dovecot to %q", when, ours, theirs)
	}
	return nil
}
