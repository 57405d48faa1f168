package main

import (
	"fmt"
	"time"
)

// Folders that the changes work in; made on disk, since not what CREATE costs is
// the question.
const (
	copyFolder   = "Copy"
	moveFolder   = "Moved"
	appendFolder = "Append"
)

// changes measures what writes to the smaller mailbox. Each turn leaves it as
// it was.
func (m *imapBench) changes() error {
	for _, s := range m.servers {
		for _, f := range []string{copyFolder, moveFolder, appendFolder} {
			if err := makeFolder(s.maildirs[smallUser], f); err != nil {
				return err
			}
		}
	}
	if !m.quick {
		// Mail that a user moves is older than what the kernel has not yet written.
		time.Sleep(time.Until(m.copied.Add(2 * time.Minute)))
	}
	got, err := m.measure(m.rounds, m.change)
	if err != nil {
		return err
	}
	for _, row := range changeRows {
		m.table.add(fmt.Sprintf(row.what, m.smallCount()), "ms", got[row.what], row.goals...)
	}
	return nil
}

const (
	storeAll   = "STORE +FLAGS, all %d"
	storeOne   = "STORE +FLAGS, one of %d, p50"
	copyAll    = "COPY, all %d"
	moveAll    = "MOVE, all %d"
	expungeAll = "EXPUNGE, all %d"
)

var changeRows = []struct {
	what  string
	goals []goal
}{
	{storeAll, ahead(0.8)},
	{storeOne, append([]goal{{atMost: 0.3}}, ahead(1)...)},
	{copyAll, ahead(0.8)},
	{moveAll, ahead(0.8)},
	{expungeAll, ahead(0.8)},
}

// change is one turn of all changes.
func (m *imapBench) change(s *server, put func(string, float64)) error {
	n := m.smallCount()
	c, err := imapSelect(s, smallUser, n)
	if err != nil {
		return err
	}
	put(storeAll, c.changed("STORE 1:* +FLAGS (\\Flagged)", n))
	c.do("STORE 1:* -FLAGS.SILENT (\\Flagged)")
	put(storeOne, c.storeEach(n, m.scale(200)))
	c.do("STORE 1:* -FLAGS.SILENT (\\Flagged)")
	put(copyAll, c.changed("COPY 1:* "+s.folder(copyFolder), 0))
	from := copyFolder
	if c.can("MOVE") {
		c.selectFolder(s.folder(copyFolder), n)
		put(moveAll, c.changed("MOVE 1:* "+s.folder(moveFolder), n))
		from = moveFolder
	}
	c.selectFolder(s.folder(from), n)
	c.do("STORE 1:* +FLAGS.SILENT (\\Deleted)")
	put(expungeAll, c.changed("EXPUNGE", n))
	return c.quit()
}

// changed is how long a command takes that n responses come for, in ms.
func (c *imapConn) changed(command string, n int) float64 {
	a, took := c.timed(command)
	if c.err == nil && a.found != n {
		c.err = fmt.Errorf("%s: %d responses, right is %d", command, a.found, n)
	}
	return took
}

// storeEach changes messages one by one, all over a mailbox of n, and is the
// median time in ms.
func (c *imapConn) storeEach(n, times int) float64 {
	var took series
	for i := range times {
		took = append(took, c.changed(fmt.Sprintf("STORE %d +FLAGS (\\Flagged)", 1+i*7919%n), 1))
	}
	return took.median()
}

func (c *imapConn) selectFolder(name string, n int) {
	if a := c.do("SELECT " + name); c.err == nil && a.exists != n {
		c.err = fmt.Errorf("%d messages in %s, right is %d", a.exists, name, n)
	}
}

// removeFrom expunges what lies behind the first n messages of the mailbox that
// is selected.
func (c *imapConn) removeFrom(n int) {
	c.do("NOOP")
	c.do(fmt.Sprintf("STORE %d:* +FLAGS.SILENT (\\Deleted)", n+1))
	c.do("EXPUNGE")
}

// appendRows are loads of APPEND.
var appendRows = []struct{ conns, total int }{{1, 300}, {4, 600}}

// appends measures APPEND to one folder, each message answered before the next
// one of the connection is sent.
func (m *imapBench) appends() error {
	text := body(4 << 10)
	for _, row := range appendRows {
		total := m.scale(row.total) / row.conns * row.conns
		const rate = "rate"
		got, err := m.measure(m.rounds, func(s *server, put func(string, float64)) error {
			before := s.settle()
			start := time.Now()
			if err := appendAll(s, text, row.conns, total); err != nil {
				return err
			}
			took := time.Since(start)
			used := s.settle() - before
			put(rate, float64(total)/took.Seconds())
			put(cpuOf, used.Seconds()*1000/float64(total))
			c, err := imapConnect(s, smallUser)
			if err != nil {
				return err
			}
			c.selectFolder(s.folder(appendFolder), total)
			c.removeFrom(0)
			return c.quit()
		})
		if err != nil {
			return fmt.Errorf("APPEND: %w", err)
		}
		what := fmt.Sprintf("APPEND 4 KB, c%d (%d)", row.conns, total)
		m.table.add(what, "messages /s", got[rate], faster(1.2)...)
		m.table.add(what, "CPU ms/msg", got[cpuOf])
	}
	return nil
}

// appendAll stores total messages by a number of sessions at once.
func appendAll(s *server, text []byte, conns, total int) error {
	return together(conns, func(int) error {
		c, err := imapConnect(s, smallUser)
		if err != nil {
			return err
		}
		for range total / conns {
			c.append(s.folder(appendFolder), text)
		}
		return c.quit()
	})
}
