package pop3

import (
	"rohrpost/maildir"
	"rohrpost/maildir/quota"
)

// quit is QUIT. In the transaction state it enters the UPDATE state (RFC 1939
// section 6), but only if all answers before it have left: who did not get a
// message has not asked to lose it.
func (s *session) quit(string) {
	if s.state == authorization {
		s.ok("bye")
		s.end(nil)
		return
	}
	if err := s.w.Flush(); err != nil {
		s.end(err)
		return
	}
	if err := s.drop.update(); err != nil {
		s.log("delete-failed", "err", err)
		s.no("[SYS/TEMP] some deleted messages not removed")
	} else {
		s.ok("bye")
	}
	s.end(nil)
}

// update flags what was retrieved and removes what is marked. The error is about
// removing only: nobody waits for a flag, and the next session has another try.
func (d *maildrop) update() error {
	doomed, err := d.messages(d.deleted, set{})
	if err != nil {
		return err
	}
	if !d.KeepFlags {
		if err := d.see(); err != nil {
			d.Log("flag-failed", "err", err)
		}
	}
	if len(doomed) == 0 {
		return nil
	}
	was := d.stored(doomed)
	if err := d.Box.Expunge(doomed); err != nil {
		return err
	}
	d.Stats.Deleted = len(doomed)
	quota.Add(d.Box, quota.Usage{Bytes: -was.Bytes, Messages: -was.Messages})
	return nil
}

// see flags what was retrieved, and will stay, as seen.
func (d *maildrop) see() error {
	seen, err := d.messages(d.retrieved, d.deleted)
	if err != nil {
		return err
	}
	return d.Box.Take(seen, maildir.Seen)
}

// messages are those of one set that are not in the other.
func (d *maildrop) messages(in, but set) (list []maildir.Message, err error) {
	for i := range d.list.Len() {
		if !in.has(i) || but.has(i) {
			continue
		}
		msg, err := d.list.At(i)
		if err != nil {
			return nil, err
		}
		list = append(list, msg)
	}
	return list, nil
}

// stored is what messages that are about to be removed take of the quota; those
// that somebody else has removed took it with them. Without a quota, nobody asks.
func (d *maildrop) stored(msgs []maildir.Message) (u quota.Usage) {
	if _, err := d.Box.Dir().Stat("maildirsize"); err != nil {
		return u
	}
	for _, m := range msgs {
		st, err := d.Box.Stat(m)
		if err != nil {
			continue
		}
		if m.Size < 0 {
			m.Size = st.Size
		}
		u.Bytes += m.Size
		u.Messages++
	}
	return u
}
