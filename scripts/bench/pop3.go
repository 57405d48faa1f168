package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const pop3Note = `One client, plain password. "Warm" is a session that is not the first one on this mailbox, which has not changed since; "one message more" is
one behind a delivery; "first sight" is one on a mailbox that another program wrote, without ,S= and ,W= in its names, after every index file was
removed. The kernel has the files in its cache in all rows. Number and octets in STAT are checked against the messages, with a CR counted for each
line.`

// mailbox is a Maildir of generated messages.
type mailbox struct {
	count  int
	octets int64 // with CRLF
}

// makeMailbox puts n messages, of size bytes on average, into box/cur. The names
// of named ones carry both sizes; foreign ones are as short as in the Maildir
// specification.
func makeMailbox(box string, n, size int, named bool) (mailbox, error) {
	m := mailbox{count: n}
	for i := range n {
		// Sizes from half to one and a half times the average.
		wire := body(size/2 + i*7919%(size+1))
		text := bytes.ReplaceAll(wire, []byte("\r\n"), []byte("\n"))
		name := fmt.Sprintf("%d.M%06dP1.bench", 1700000000+i/1000, i)
		if named {
			name += fmt.Sprintf(",S=%d,W=%d", len(text), len(wire))
		}
		path := filepath.Join(box, "cur", name+":2,S")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return m, err
		}
		if err := os.Chown(path, mailUID, mailUID); err != nil {
			return m, err
		}
		m.octets += int64(len(wire))
	}
	return m, nil
}

// shareMailbox links the messages of one box into another: the contenders read
// the same inodes, so the kernel's cache favours nobody.
func shareMailbox(from, to string) error {
	es, err := os.ReadDir(filepath.Join(from, "cur"))
	if err != nil {
		return err
	}
	for _, e := range es {
		if err := os.Link(filepath.Join(from, "cur", e.Name()), filepath.Join(to, "cur", e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// forget removes what a server has written down about a mailbox.
func forget(box string) error {
	for _, pattern := range []string{"dovecot*", "rohrpost.*"} {
		names, err := filepath.Glob(filepath.Join(box, pattern))
		if err != nil {
			return err
		}
		for _, n := range names {
			if err := os.RemoveAll(n); err != nil {
				return err
			}
		}
	}
	return nil
}

func benchPOP3(b *bench) (*table, error) {
	servers, err := b.startAll(b.ours(nil), dovecot)
	if err != nil {
		return nil, err
	}
	defer stopAll(servers)
	t := newTable(ours, "Dovecot")
	for _, part := range []func(*bench, *table, []*server) error{statRows, retrRows} {
		if err := part(b, t, servers); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// login is the name that a contender knows user n by.
func (s *server) login(n int) string { return userName(n) + "@" + mailDomain }

// fill gives every contender the same messages for user n.
func (b *bench) fill(servers []*server, n, count, size int, named bool) (mailbox, error) {
	m, err := makeMailbox(servers[0].maildirs[n], count, size, named)
	for _, s := range servers[1:] {
		err = errors.Join(err, shareMailbox(servers[0].maildirs[n], s.maildirs[n]))
	}
	return m, err
}

func statRows(b *bench, t *table, servers []*server) error {
	const size = 9000
	count := b.scale(100_000)
	foreign, err := b.fill(servers, 0, count, size, false)
	if err != nil {
		return err
	}
	named, err := b.fill(servers, 1, count, size, true)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("%d messages, %d MB, ", count, foreign.octets/1e6)
	for _, row := range []struct {
		what  string
		user  int
		box   mailbox
		fresh bool
		grows bool
		goal  float64
	}{
		{"first sight of foreign names", 0, foreign, true, false, 0.5},
		{"foreign names, warm", 0, foreign, false, false, 0.75},
		{"foreign names, one message more", 0, foreign, false, true, 0.75},
		{"names with ,W=, warm", 1, named, false, false, 0.75},
	} {
		took, cpu := map[string]series{}, map[string]series{}
		for round := -1; round < b.rounds; round++ { // round -1 warms up
			if row.grows {
				if err := row.box.grow(servers, row.user); err != nil {
					return err
				}
			}
			for _, s := range servers {
				if row.fresh {
					if err := forget(s.maildirs[row.user]); err != nil {
						return err
					}
				}
				d, c, err := statRound(s, row.user, row.box)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", s.name, row.what, err)
				}
				if round >= 0 {
					took[s.name] = append(took[s.name], d)
					cpu[s.name] = append(cpu[s.name], c)
				}
			}
		}
		t.add(what+row.what, "connect to STAT, ms", took, goal{to: "Dovecot", atMost: row.goal})
		t.add(what+row.what, "CPU ms", cpu)
	}
	return nil
}

// grow puts one message more into new of every contender's box.
func (m *mailbox) grow(servers []*server, user int) error {
	text := []byte("Subject: one more\n\ntext\n")
	name := fmt.Sprintf("new/%d.M%06dP1.bench", 1800000000, m.count)
	m.count++
	m.octets += int64(len(text) + bytes.Count(text, []byte("\n")))
	for _, s := range servers {
		path := filepath.Join(s.maildirs[user], name)
		if err := errors.Join(os.WriteFile(path, text, 0o600), os.Chown(path, mailUID, mailUID)); err != nil {
			return err
		}
	}
	time.Sleep(50 * time.Millisecond) // the delivery is no longer of this moment
	return nil
}

// statRound measures one session from connect to the answer of STAT, in ms, and
// its processor time to the end.
func statRound(s *server, user int, box mailbox) (took, cpu float64, err error) {
	before := s.settle()
	start := time.Now()
	c, err := popLogin(s.pop3, s.login(user))
	if err != nil {
		return 0, 0, err
	}
	n, octets := c.stat()
	took = time.Since(start).Seconds() * 1000
	if err := c.quit(); err != nil {
		return 0, 0, err
	}
	if n != box.count || octets != box.octets {
		return 0, 0, fmt.Errorf("STAT says %d %d, right is %d %d", n, octets, box.count, box.octets)
	}
	return took, (s.settle() - before).Seconds() * 1000, nil
}

func retrRows(b *bench, t *table, servers []*server) error {
	box, err := b.fill(servers, 2, b.scale(10_000), 4<<10, false)
	if err != nil {
		return err
	}
	for _, row := range []struct {
		what  string
		n     int
		ahead bool
		goals []goal
	}{
		{"RETR pipelined, %d × 4 KB, warm", box.count, true, []goal{{to: "Dovecot", atLeast: 1}}},
		// 44 ms a message would be 23 a second.
		{"RETR one at a time, %d × 4 KB, warm", b.scale(200), false, []goal{{atLeast: 200}, {to: "Dovecot", atLeast: 1}}},
	} {
		rate, cpu := map[string]series{}, map[string]series{}
		for round := -1; round < b.rounds; round++ {
			for _, s := range servers {
				r, c, err := retrRound(s, 2, row.n, row.ahead, box)
				if err != nil {
					return fmt.Errorf("%s: %w", s.name, err)
				}
				if round >= 0 {
					rate[s.name] = append(rate[s.name], r)
					cpu[s.name] = append(cpu[s.name], c)
				}
			}
		}
		what := fmt.Sprintf(row.what, row.n)
		t.add(what, "messages /s", rate, row.goals...)
		t.add(strings.TrimSuffix(what, ", warm")+", whole session", "CPU µs/msg", cpu)
	}
	return nil
}

// retrRound reads n messages: messages per second, and processor time of the
// whole session per message in µs.
func retrRound(s *server, user, n int, ahead bool, box mailbox) (rate, cpu float64, err error) {
	before := s.settle()
	c, err := popLogin(s.pop3, s.login(user))
	if err != nil {
		return 0, 0, err
	}
	c.stat()
	start := time.Now()
	octets := c.retrieve(n, ahead)
	took := time.Since(start)
	if err := c.quit(); err != nil {
		return 0, 0, err
	}
	if n == box.count && octets != box.octets {
		return 0, 0, fmt.Errorf("%d octets came, %d were there", octets, box.octets)
	}
	return float64(n) / took.Seconds(), (s.settle() - before).Seconds() * 1e6 / float64(n), nil
}
