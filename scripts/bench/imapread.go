package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// reads measures sessions that change nothing, in a mailbox of n messages.
func (m *imapBench) reads(user, n, rounds int) error {
	what := fmt.Sprintf("%d messages: ", n)
	if err := m.selects(what, user, n, rounds); err != nil {
		return err
	}
	for _, q := range imapQueries {
		if err := m.query(q, what, user, n, rounds); err != nil {
			return fmt.Errorf("%s: %w", q.what, err)
		}
	}
	return m.bodies(what, user, n, rounds)
}

// selects measures how long it takes until the mailbox is open.
func (m *imapBench) selects(what string, user, n, rounds int) error {
	const noUIDs, cold, warm = "SELECT, no UIDs", "SELECT, first", "connect, LOGIN and SELECT, again"
	got, err := m.measure(rounds, func(s *server, put func(string, float64)) error {
		for _, state := range []struct {
			figure string
			forget []string
		}{{noUIDs, everything}, {cold, indexes}} {
			if err := forgetAll(s.maildirs[user], state.forget); err != nil {
				return err
			}
			took, err := selectOnce(s, user, n)
			if err != nil {
				return err
			}
			put(state.figure, took)
		}
		var took series
		for range 11 {
			start := time.Now()
			c, err := imapSelect(s, user, n)
			if err != nil {
				return err
			}
			took = append(took, time.Since(start).Seconds()*1000)
			if err := c.quit(); err != nil {
				return err
			}
		}
		put(warm, took.median())
		return nil
	})
	if err != nil {
		return err
	}
	m.table.add(what+warm, "ms", got[warm], ahead(0.7)...)
	m.table.add(what+noUIDs, "ms", got[noUIDs], ahead(0.8)...)
	m.table.add(what+cold, "ms", got[cold], ahead(0.8)...)
	return nil
}

// selectOnce is how long SELECT takes in a session of its own, in ms.
func selectOnce(s *server, user, n int) (float64, error) {
	c, err := imapConnect(s, user)
	if err != nil {
		return 0, err
	}
	a, took := c.timed("SELECT INBOX")
	if c.err == nil && a.exists != n {
		c.err = fmt.Errorf("%d messages in INBOX, right is %d", a.exists, n)
	}
	return took, c.quit()
}

// warm reads a mailbox, so that the kernel has all of it in its cache, whatever
// the contender before did or the kernel took back. The files of the large
// mailbox are those of every contender, and read for the first one only.
func (m *imapBench) warm(s *server, user int) error {
	if user == largeUser && s != m.servers[0] {
		return nil
	}
	cur := filepath.Join(s.maildirs[user], "cur")
	es, err := os.ReadDir(cur)
	if err != nil {
		return err
	}
	buf := make([]byte, 64<<10)
	for _, e := range es {
		f, err := os.Open(filepath.Join(cur, e.Name()))
		if err != nil {
			return err
		}
		for n := len(buf); n == len(buf); {
			n, _ = f.Read(buf)
		}
		f.Close()
	}
	return nil
}

// An imapQuery is a command whose answer has to have a number of parts. Its
// goals are the most that its time may be of Dovecot's, the first time and
// again; a row whose goal is 0 is left out.
type imapQuery struct {
	what, command string
	want          func(tally) int
	first, again  float64
	courier       bool // also with the large mailbox
	cpu           bool // tell processor time as well
}

func wantAll(t tally) int     { return t.messages }
func wantFrom(t tally) int    { return t.from }
func wantSubject(t tally) int { return t.subject }
func wantSince(t tally) int   { return t.since }
func wantNone(tally) int      { return 0 }

// imapQueries are the questions of mail clients.
var imapQueries = []imapQuery{
	{"UID FETCH 1:* (FLAGS)", "UID FETCH 1:* (FLAGS)", wantAll, 0, 0.5, true, false},
	{"FETCH ENVELOPE BODYSTRUCTURE and more", "UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)", wantAll, 0.5, 0.25, true, true},
	{"FETCH header fields of a list view", "UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS" +
		" (From To Cc Subject Date Message-ID References Content-Type In-Reply-To Reply-To)])", wantAll, 0.5, 0.5, false, true},
	{"SEARCH FROM", "SEARCH FROM " + fromWord, wantFrom, 0.5, 0.5, false, false},
	{"SEARCH SUBJECT", "SEARCH SUBJECT " + subjectWord, wantSubject, 0.5, 0.5, false, false},
	{"SEARCH SINCE", "SEARCH SINCE DAY", wantSince, 0.5, 0.5, true, false},
	{"SORT (REVERSE DATE)", "SORT (REVERSE DATE) UTF-8 ALL", wantAll, 0.5, 0.5, false, false},
	{"SORT (SUBJECT)", "SORT (SUBJECT) UTF-8 ALL", wantAll, 0.5, 0.5, false, false},
	{"THREAD REFERENCES", "THREAD REFERENCES UTF-8 ALL", wantAll, 0.5, 0.5, false, false},
	{"SEARCH BODY (no match)", "SEARCH BODY " + absentWord, wantNone, 0, 0.5, false, true},
}

// query measures one question in two sessions, the first of which finds no index.
func (m *imapBench) query(q imapQuery, what string, user, n, rounds int) error {
	right := m.mail.tally(n)
	command := strings.Replace(q.command, "DAY", right.day, 1)
	const first, again = ", first", ", again"
	got, err := m.measure(rounds, func(s *server, put func(string, float64)) error {
		if s.name == courierName && user == largeUser && !q.courier {
			return nil
		}
		if err := m.warm(s, user); err != nil {
			return err
		}
		if q.first > 0 {
			if err := forgetAll(s.maildirs[user], indexes); err != nil {
				return err
			}
		}
		for _, figure := range []string{first, again} {
			before := s.cpu()
			c, err := imapSelect(s, user, n)
			if err != nil {
				return err
			}
			a, took := c.timed(command)
			if c.err == nil && a.found != q.want(right) {
				c.err = fmt.Errorf("%s: %d in the answer, right is %d", q.what, a.found, q.want(right))
			}
			if err := c.quit(); err != nil {
				return err
			}
			put(figure, took)
			put(figure+cpuOf, (s.cpu()-before).Seconds()*1000)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, row := range []struct {
		figure string
		goal   float64
	}{{first, q.first}, {again, q.again}} {
		if row.goal == 0 {
			continue
		}
		m.table.add(what+q.what+row.figure, "ms", got[row.figure], ahead(row.goal)...)
		if q.cpu {
			m.table.add(what+q.what+row.figure, "CPU ms, whole session", got[row.figure+cpuOf])
		}
	}
	return nil
}

const cpuOf = ", CPU"

// bodies measures the download of the whole mailbox.
func (m *imapBench) bodies(what string, user, n, rounds int) error {
	right := m.mail.tally(n)
	const rate = "rate"
	got, err := m.measure(rounds, func(s *server, put func(string, float64)) error {
		if err := m.warm(s, user); err != nil {
			return err
		}
		c, err := imapSelect(s, user, n)
		if err != nil {
			return err
		}
		before := s.cpu()
		a, took := c.timed("UID FETCH 1:* (UID BODY.PEEK[])")
		used := s.cpu() - before
		if c.err == nil && (a.found != n || a.literals != right.octets) {
			c.err = fmt.Errorf("%d messages came with %d octets, right is %d with %d", a.found, a.literals, n, right.octets)
		}
		put(rate, float64(a.literals)/1e3/took)
		put(cpuOf, used.Seconds()*1e9/float64(max(a.literals, 1)))
		return c.quit()
	})
	if err != nil {
		return err
	}
	what += fmt.Sprintf("BODY.PEEK[] of all, %d MB", right.octets/1e6)
	m.table.add(what, "MB/s", got[rate], faster(1.5)...)
	m.table.add(what, "CPU ms per MB", got[cpuOf])
	return nil
}
