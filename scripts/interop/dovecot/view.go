package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const inbox = "INBOX"

// view is what a server tells of a mailbox.
type view struct {
	validity, next uint32
	messages       map[uint32]seen // by UID
}

type seen struct {
	id    string // the subject
	flags string // sorted
	date  int64  // INTERNALDATE in seconds since 1970
	size  int64  // RFC822.SIZE
}

// The items of a FETCH response, which each server has in an order of its own.
var (
	itemUID     = regexp.MustCompile(`[( ]UID (\d+)`)
	itemFlags   = regexp.MustCompile(`[( ]FLAGS \(([^)]*)\)`)
	itemDate    = regexp.MustCompile(`[( ]INTERNALDATE "([^"]*)"`)
	itemSize    = regexp.MustCompile(`[( ]RFC822\.SIZE (\d+)`)
	itemSubject = regexp.MustCompile(`[( ]ENVELOPE \((?:NIL|"[^"]*") (?:NIL|"([^"]*)")`)
)

var (
	validity  = regexp.MustCompile(`\[UIDVALIDITY (\d+)\]`)
	predicted = regexp.MustCompile(`\[UIDNEXT (\d+)\]`)
)

// look selects a mailbox and fetches all of it, but for what is gone before it could
// be told. UIDNEXT is 0 if the server does not tell it.
func (s *session) look(mailbox string) (view, error) {
	v := view{messages: map[uint32]seen{}}
	lines, err := s.do("SELECT %s", mailbox)
	if err != nil {
		return v, err
	}
	v.validity, v.next = find(validity, lines), find(predicted, lines)
	lines, err = s.do("UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)")
	if expungeIssued(err) {
		err = nil
	}
	for _, line := range lines {
		if !strings.Contains(line, " ENVELOPE ") { // flags that have changed meanwhile
			continue
		}
		uid, m, err := parseFetch(line)
		if err != nil {
			return v, err
		}
		if _, ok := v.messages[uid]; ok {
			return v, fmt.Errorf("%s tells UID %d of %s twice", s.server, uid, mailbox)
		}
		if m.size == 0 {
			continue // Dovecot found it gone when it had begun to tell of it (RFC 2180 section 4.1.3)
		}
		v.messages[uid] = m
	}
	return v, err
}

func parseFetch(line string) (uid uint32, m seen, err error) {
	var items [5]string
	for i, r := range []*regexp.Regexp{itemUID, itemFlags, itemDate, itemSize, itemSubject} {
		found := r.FindStringSubmatch(line)
		if found == nil {
			return 0, m, fmt.Errorf("no %v in %q", r, line)
		}
		items[i] = found[1]
	}
	date, err := time.Parse("_2-Jan-2006 15:04:05 -0700", items[2])
	if err != nil {
		return 0, m, err
	}
	return number(items[0]), seen{items[4], sortFlags(strings.Fields(items[1])), date.Unix(), int64(number(items[3]))}, nil
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

// has reports whether the flag is set.
func (m seen) has(flag string) bool {
	return slices.Contains(strings.Fields(m.flags), strings.ToLower(flag))
}

// uids are the UIDs of a view, ascending.
func (v view) uids() []uint32 {
	uids := make([]uint32, 0, len(v.messages))
	for uid := range v.messages {
		uids = append(uids, uid)
	}
	slices.Sort(uids)
	return uids
}

// text is the form of the fixtures.
func (v view) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "UIDVALIDITY %d\n", v.validity)
	if v.next > 0 {
		fmt.Fprintf(&b, "UIDNEXT %d\n", v.next)
	}
	for _, uid := range v.uids() {
		fmt.Fprintf(&b, "%d %s\n", uid, v.messages[uid].flags)
	}
	return b.String()
}

// dropKeywords leaves the flags of IMAP itself.
func (v view) dropKeywords() {
	for uid, m := range v.messages {
		m.flags = strings.Join(slices.DeleteFunc(strings.Fields(m.flags), func(f string) bool { return f[0] != '\\' }), " ")
		v.messages[uid] = m
	}
}

// differences is what two views do not agree on.
func differences(a, b view) (all []string) {
	if a.validity != b.validity || a.next != b.next {
		all = append(all, fmt.Sprintf("UIDVALIDITY %d and %d, UIDNEXT %d and %d", a.validity, b.validity, a.next, b.next))
	}
	for _, uid := range a.uids() {
		if x, y := a.messages[uid], b.messages[uid]; x != y {
			all = append(all, fmt.Sprintf("UID %d is %+v and %+v", uid, x, y))
		}
	}
	for _, uid := range b.uids() {
		if _, ok := a.messages[uid]; !ok {
			all = append(all, fmt.Sprintf("UID %d is nothing and %+v", uid, b.messages[uid]))
		}
	}
	return all
}

var listed = regexp.MustCompile(`^\* LSUB \([^)]*\) "\." "?([^"]*)"?$`)

// subscriptions is what a server tells of them, sorted.
func (s *session) subscriptions() (names []string, err error) {
	lines, err := s.do(`LSUB "" *`)
	for _, line := range lines {
		if m := listed.FindStringSubmatch(line); m != nil {
			names = append(names, m[1])
		}
	}
	slices.Sort(names)
	return names, err
}

func find(r *regexp.Regexp, lines []string) uint32 {
	for _, line := range lines {
		if m := r.FindStringSubmatch(line); m != nil {
			return number(m[1])
		}
	}
	return 0
}

func number(s string) uint32 {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		panic(err) // a regular expression has let it through
	}
	return uint32(n)
}

// expand is the UIDs of a set as COPYUID and VANISHED have it.
func expand(set string) (uids []uint32) {
	for part := range strings.SplitSeq(set, ",") {
		first, last, ranged := strings.Cut(part, ":")
		if !ranged {
			last = first
		}
		from, to := number(first), number(last)
		for uid := min(from, to); uid <= max(from, to); uid++ {
			uids = append(uids, uid)
		}
	}
	return uids
}
