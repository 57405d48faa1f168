package pop3

import (
	"errors"
	"hash/fnv"
	"io/fs"
	"strconv"
	"strings"

	"rohrpost/maildir"
	"rohrpost/maildir/uidlist"
)

// maxID is the longest unique-id, in bytes (RFC 1939 section 7).
const maxID = 70

// hashMark begins a unique-id that is a hash. One that would begin so by itself
// is hashed too, so no file's name can pass for a hash.
const hashMark = '='

// uidl is UIDL.
func (s *session) uidl(arg string) {
	if s.drop.ids == nil {
		ids, err := openIDs(s.drop.Box, s.drop.IDs)
		if err != nil {
			// Other ids than last time would make the client download everything.
			s.log("uidlist-failed", "err", err)
			s.no("[SYS/TEMP] cannot read the unique-ids now, try again later")
			return
		}
		s.drop.ids = ids
	}
	s.listing(arg, "unique-id listings follow", s.uniqueIDListing)
}

// uniqueIDListing is number and unique-id in one line.
func (s *session) uniqueIDListing(i int) {
	msg, ok := s.at(i)
	if !ok {
		return
	}
	s.w.Int(int64(i + 1))
	s.w.String(" ")
	s.w.Extend(func(b []byte) []byte { return s.drop.ids.append(b, msg.Name) })
	s.w.Line("")
}

// uniqueIDs makes the unique-ids of one Maildir. They depend on the message's
// base, on what stands beside it in its name, and on the list of UIDs, never on
// flags, folder or order; two messages never get the same one, unless the list
// says so.
type uniqueIDs struct {
	format  Format
	dovecot *uidlist.List
	courier *uidlist.Courier
}

// openIDs reads the list that the format needs. Without one, messages are known
// by their names.
func openIDs(box *maildir.Maildir, f Format) (*uniqueIDs, error) {
	u := &uniqueIDs{format: f}
	var err error
	switch {
	case f.courier:
		u.courier, err = uidlist.ReadCourier(box.Dir())
	case f.parts != nil:
		u.dovecot, err = uidlist.Read(box.Dir())
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return u, err
}

// append appends the unique-id of the message with this name.
func (u *uniqueIDs) append(b []byte, n maildir.Name) []byte {
	start := len(b)
	switch {
	case u.format.courier:
		b = u.appendCourier(b, n)
	case u.format.parts != nil:
		b = u.appendTemplate(b, n)
	default:
		b = appendName(b, n)
	}
	if !goodID(b[start:]) {
		return appendHash(b[:start], n)
	}
	return b
}

// appendName appends base and sizes. This is what qmail-pop3d says, which takes
// all before the colon, as long as no synchronizer has put fields of its own
// there. Where it is too long, the base is unique enough.
func appendName(b []byte, n maildir.Name) []byte {
	start := len(b)
	b = append(b, n.Base...)
	end := len(b)
	for fields := n.Fields; fields != ""; {
		next := strings.IndexByte(fields[1:], ',') + 1
		if next == 0 {
			next = len(fields)
		}
		if strings.HasPrefix(fields, ",S=") || strings.HasPrefix(fields, ",W=") {
			b = append(b, fields[:next]...)
		}
		fields = fields[next:]
	}
	if len(b)-start > maxID {
		return b[:end]
	}
	return b
}

// appendUnlisted appends the name of a message that the list does not know, or a
// hash where the name could be the unique-id of one that it knows: those that
// our formats make have no dot.
func appendUnlisted(b []byte, n maildir.Name) []byte {
	if strings.IndexByte(n.Base, '.') < 0 {
		return appendHash(b, n)
	}
	return appendName(b, n)
}

// appendCourier appends what Courier's pop3d says. A list of its first version
// has no UIDs, and names were used.
func (u *uniqueIDs) appendCourier(b []byte, n maildir.Name) []byte {
	if u.courier == nil {
		return appendUnlisted(b, n)
	}
	uid, validity, ok := u.courier.Find(n.Base)
	if !ok {
		return appendUnlisted(b, n)
	}
	b = strconv.AppendUint(append(b, "UID"...), uid, 10)
	if validity != 0 {
		b = strconv.AppendUint(append(b, '-'), validity, 10)
	}
	return b
}

// appendTemplate appends what Dovecot says. A unique-id that an earlier move put
// into its list comes first.
func (u *uniqueIDs) appendTemplate(b []byte, n maildir.Name) []byte {
	var r uidlist.Record
	listed := false
	if u.dovecot != nil {
		r, listed = u.dovecot.Find(n.Base)
	}
	if id, ok := r.Field('P'); ok && id != "" {
		return append(b, id...)
	} else if ok {
		return append(append(b, n.Base...), n.Fields...)
	}
	if !listed && u.format.needs("uv") {
		return appendUnlisted(b, n)
	}
	for _, p := range u.format.parts {
		switch p.variable {
		case 0:
			b = append(b, p.text...)
		case 'u':
			b = p.appendNumber(b, r.UID)
		case 'v':
			b = p.appendNumber(b, u.dovecot.Validity)
		case 'g':
			if id, ok := r.Field('G'); ok {
				b = append(b, id...)
				continue
			}
			fallthrough
		case 'f':
			b = append(append(b, n.Base...), n.Fields...)
		}
	}
	return b
}

// goodID reports whether b is a unique-id by RFC 1939, and none of our hashes.
func goodID(b []byte) bool {
	if len(b) == 0 || len(b) > maxID || b[0] == hashMark {
		return false
	}
	for _, c := range b {
		if c < 0x21 || c > 0x7e {
			return false
		}
	}
	return true
}

// appendHash appends a hash of the base. Nobody but the mailbox's owner chooses
// names, so it need not resist him.
func appendHash(b []byte, n maildir.Name) []byte {
	h := fnv.New128a()
	h.Write([]byte(n.Base))
	b = append(b, hashMark)
	for _, c := range h.Sum(nil) {
		b = append(b, "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
	}
	return b
}
