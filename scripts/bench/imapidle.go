package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// deliveries measures how long after its rename into new an idling client hears
// of a message, in a mailbox of n.
func (m *imapBench) deliveries(user, n, rounds int) error {
	const p50, most = "p50", "max"
	got, err := m.measure(rounds, func(s *server, put func(string, float64)) error {
		if s.name == courierName {
			return fmt.Errorf("%w: IDLE, it looks once a minute", errLeftOut)
		}
		c, err := imapSelect(s, user, n)
		if err != nil {
			return err
		}
		c.write([]byte("i IDLE\r\n"))
		c.await("+")
		var took series
		for i := range m.scale(20) + 3 {
			// At no fixed point of whatever interval the server has.
			time.Sleep(time.Duration(50+i*37%100) * time.Millisecond)
			ms, err := c.arrival(s.maildirs[user], i)
			if err != nil {
				return err
			}
			took = append(took, ms)
		}
		c.write([]byte("DONE\r\n"))
		c.await("i OK")
		c.removeFrom(n)
		put(p50, took.median())
		put(most, slices.Max(took))
		return c.quit()
	})
	if err != nil {
		return fmt.Errorf("IDLE: %w", err)
	}
	what := fmt.Sprintf("IDLE in %d messages: from rename into new until EXISTS", n)
	m.table.add(what+", p50", "ms", got[p50], goal{atMost: 10}, goal{to: dovecot.name, atMost: 1})
	m.table.add(what+", max", "ms", got[most], goal{atMost: 10}, goal{to: dovecot.name, atMost: 1})
	return nil
}

// arrival delivers a message into box and waits until the client hears of it.
func (c *imapConn) arrival(box string, i int) (float64, error) {
	name := fmt.Sprintf("%d.M%dP2.bench", time.Now().Unix(), i)
	tmp := filepath.Join(box, "tmp", name)
	text := "From: a@example.org\nSubject: news\n\nnews\n"
	if err := errors.Join(os.WriteFile(tmp, []byte(text), 0o600), os.Chown(tmp, mailUID, mailUID)); err != nil {
		return 0, err
	}
	var err error
	took := elapsed(func() {
		err = os.Rename(tmp, filepath.Join(box, "new", name))
		c.await("EXISTS")
	})
	return took, errors.Join(err, c.err)
}

const imapIdleNote = `200 sessions in IDLE at once, all of one user. Memory is the proportional set size of all processes of the server, its growth per session;
ours are started by listen, which is counted too. Processor time is what it took to get there, per session.`

// benchIMAPIdle measures the memory of sessions that wait for mail.
func benchIMAPIdle(b *bench) (*table, error) {
	mail, err := makeCorpus(filepath.Join(b.dir, "mail"), b.scale(10_000))
	if err != nil {
		return nil, err
	}
	t := newTable(ours, dovecot.name, courierName)
	for _, row := range []struct {
		what     string
		messages int
		goals    []goal
	}{
		{"nothing in the mailbox", 0, []goal{{atMost: 900}}},
		{fmt.Sprintf("%d messages selected", len(mail.messages)), len(mail.messages), []goal{{atMost: 900}}},
	} {
		got := figures{}
		for round := range b.rounds {
			err := b.imapIdleRound(mail, row.messages, round, func(figure, name string, v float64) {
				if got[figure] == nil {
					got[figure] = map[string]series{}
				}
				got[figure][name] = append(got[figure][name], v)
			})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", row.what, err)
			}
		}
		t.add(row.what, "PSS per session, KiB", got["memory"], row.goals...)
		t.add(row.what, "CPU ms per session", got["cpu"])
	}
	return t, nil
}

// imapIdleRound starts the contenders anew, since some keep processes of old
// sessions for later, and opens the sessions of each.
func (b *bench) imapIdleRound(mail *corpus, messages, round int, put func(figure, name string, v float64)) error {
	list := []contender{b.oursAlone("imapd"), dovecot, b.courier()}
	if round > 0 {
		list = list[:2] // Courier needs seconds
	}
	servers, err := b.startAll(list...)
	if err != nil {
		return err
	}
	defer stopAll(servers)
	n := b.scale(200)
	for _, s := range servers {
		if err := mail.link(s.maildirs[smallUser], 0, messages); err != nil {
			return err
		}
		// The first session writes the index.
		if _, err := selectOnce(s, smallUser, messages); err != nil {
			return err
		}
		before := s.settle()
		memory, err := idleRound(s, s.imap, n, func(string) (net.Conn, error) { return imapIdler(s, messages) })
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		put("memory", s.name, memory)
		put("cpu", s.name, (s.cpu()-before).Seconds()*1000/float64(n))
	}
	return nil
}

// imapIdler opens a session that idles.
func imapIdler(s *server, messages int) (net.Conn, error) {
	c, err := imapSelect(s, smallUser, messages)
	if err != nil {
		return nil, err
	}
	c.write([]byte("i IDLE\r\n"))
	c.await("+")
	return c.conn, c.err
}
