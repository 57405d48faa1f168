package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
	"rohrpost/maildir/keyword"
	"rohrpost/maildir/uidlist"
)

// host is one Maildir that both work on.
type host struct {
	dir, config string
	together    bool // both work at once
	told        told
}

func newHost(dir string) (*host, error) {
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "rohrpost-dovecot-"); err != nil {
			return nil, err
		}
	}
	h := &host{dir: dir, told: told{ids: map[string]uint64{}, uids: map[uint64]string{}, validity: map[string]uint32{}}}
	var err error
	h.config, err = configure(dir)
	return h, err
}

// open opens a folder as our programs would.
func (h *host) open(folder string) (*maildir.Maildir, error) {
	m, err := maildir.Create(filepath.Join(h.dir, "Maildir"), disk.OS)
	if err != nil || folder == "INBOX" {
		return m, err
	}
	defer m.Close()
	return m.CreateFolder(folder)
}

// look is what we say of a folder.
func (h *host) look(folder string) (view, error) {
	v := view{messages: map[uint32]seen{}}
	m, err := h.open(folder)
	if err != nil {
		return v, err
	}
	defer m.Close()
	list, l, err := assigned(m)
	if err != nil {
		return v, err
	}
	names, err := keyword.Read(m.Dir())
	if err != nil {
		return v, err
	}
	v.validity, v.next = l.Validity, l.Next
	for i := range list.Len() {
		msg := list.At(i)
		id, err := subject(m, msg)
		if err == maildir.ErrGone {
			continue
		}
		if err != nil {
			return v, err
		}
		v.messages[l.UID(msg.Base)] = seen{id, flagNames(msg.Flags, names)}
	}
	return v, nil
}

// assigned is the messages of a folder, all with UIDs.
func assigned(m *maildir.Maildir) (*maildir.Listing, *uidlist.List, error) {
	list, err := m.Scan()
	if err != nil {
		return nil, nil, err
	}
	list.Sort()
	var names []maildir.Name
	for i := range list.Len() {
		names = append(names, list.At(i).Name)
	}
	l, err := uidlist.Assign(m, names, time.Now())
	return list, l, err
}

func subject(m *maildir.Maildir, msg maildir.Message) (string, error) {
	f, _, err := m.OpenMessage(msg)
	if err != nil {
		return "", err
	}
	defer f.Close()
	line, err := bufio.NewReader(f).ReadString('\n')
	return strings.TrimSpace(strings.TrimPrefix(line, "Subject:")), err
}

// flagNames is flags as IMAP names them, sorted.
func flagNames(f maildir.Flags, names *keyword.Table) string {
	var all []string
	for flag, name := range map[maildir.Flags]string{
		maildir.Draft: `\Draft`, maildir.Flagged: `\Flagged`, maildir.Replied: `\Answered`, maildir.Seen: `\Seen`, maildir.Trashed: `\Deleted`,
	} {
		if f&flag != 0 {
			all = append(all, name)
		}
	}
	for n := range keyword.Max {
		if f&maildir.Keyword(n) != 0 {
			all = append(all, names.Name(n))
		}
	}
	return sortFlags(all)
}

// sortFlags makes sets of flags comparable: their case does not count, and Dovecot
// remembers a keyword in the case that it met first.
func sortFlags(flags []string) string {
	flags = slices.DeleteFunc(flags, func(f string) bool { return f == `\Recent` })
	for i, f := range flags {
		flags[i] = strings.ToLower(f)
	}
	slices.Sort(flags)
	return strings.Join(flags, " ")
}

// told is every UID that anybody has said, and what was wrong with it.
type told struct {
	mu       sync.Mutex
	ids      map[string]uint64 // by folder and subject: UIDVALIDITY<<32 | UID
	uids     map[uint64]string // the other way round; UIDVALIDITYs differ between folders
	validity map[string]uint32 // by folder
	times    int
	wrong    []string
}

// note takes up a view.
func (t *told) note(who, folder string, v view) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if was := t.validity[folder]; was != 0 && was != v.validity {
		t.complain("%s says that UIDVALIDITY of %s is %d, was %d", who, folder, v.validity, was)
	}
	t.validity[folder] = v.validity
	inFolder := map[string]uint32{}
	for uid, m := range v.messages {
		t.times++
		full := uint64(v.validity)<<32 | uint64(uid)
		id := folder + "/" + m.id
		if was, ok := t.uids[full]; ok && was != id {
			t.complain("%s says that UID %d is %s, was %s", who, uid, id, was)
		}
		if was, ok := t.ids[id]; ok && was != full {
			t.complain("%s says that %s has UID %d, had %d", who, id, uid, uint32(was))
		}
		if other, ok := inFolder[id]; ok {
			t.complain("%s says that %s is there twice, as %d and %d", who, id, uid, other)
		}
		if uid == 0 || uid >= v.next && v.next != 0 {
			t.complain("%s says that %s has UID %d, next UID %d", who, id, uid, v.next)
		}
		t.uids[full], t.ids[id], inFolder[id] = id, full, uid
	}
}

func (t *told) complain(format string, args ...any) {
	t.wrong = append(t.wrong, fmt.Sprintf(format, args...))
}

// differences is what two views do not agree on.
func differences(a, b view) (all []string) {
	if a.validity != b.validity || a.next != b.next {
		all = append(all, fmt.Sprintf("UIDVALIDITY %d and %d, UIDNEXT %d and %d", a.validity, b.validity, a.next, b.next))
	}
	uids := map[uint32]bool{}
	for _, v := range []view{a, b} {
		for uid := range v.messages {
			uids[uid] = true
		}
	}
	for uid := range uids {
		if x, y := a.messages[uid], b.messages[uid]; x != y {
			all = append(all, fmt.Sprintf("UID %d is %q and %q", uid, x, y))
		}
	}
	return all
}

// compare has both look at each folder, and holds one to the other.
func (h *host) compare(when string) error {
	s, err := h.session()
	if err != nil {
		return err
	}
	defer s.close()
	for _, folder := range folders {
		ours, err := h.look(folder)
		if err != nil {
			return err
		}
		theirs, err := s.look(folder)
		if err != nil {
			return err
		}
		after, err := h.look(folder)
		if err != nil {
			return err
		}
		h.told.note("we", folder, ours)
		h.told.note("dovecot", folder, theirs)
		h.told.note("we", folder, after)
		for _, d := range differences(ours, theirs) {
			h.told.complain("%s, %s: we and dovecot say %s", when, folder, d)
		}
		for _, d := range differences(ours, after) {
			h.told.complain("%s, %s: we say before and after dovecot %s", when, folder, d)
		}
	}
	return h.compareSubscriptions(s, when)
}
