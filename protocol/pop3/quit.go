package pop3

import "rohrpost/maildir"

// quit is QUIT. In the transaction state it enters the UPDATE state: deletes,
// then flags, each for all messages at once.
func (s *session) quit(string) {
	if s.state == authorization {
		s.ok("bye")
		s.end(nil)
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

// update removes what is marked and flags what was retrieved. The error is about
// removing only: nobody waits for a flag, and the next session has another try.
func (d *maildrop) update() error {
	var doomed []maildir.Message
	for i := range d.list.Len() {
		switch {
		case d.deleted.has(i):
			doomed = append(doomed, d.list.At(i))
		case d.retrieved.has(i) && !d.KeepFlags:
			d.see(d.list.At(i))
		}
	}
	if len(doomed) == 0 {
		return nil
	}
	err := d.Box.Expunge(doomed)
	if err == nil {
		d.Stats.Deleted = len(doomed)
	}
	return err
}

// see flags a message as seen, which moves it to cur.
func (d *maildrop) see(m maildir.Message) {
	if m.New || m.Flags&maildir.Seen == 0 {
		d.Box.SetFlags(m, maildir.Seen, 0)
	}
}
