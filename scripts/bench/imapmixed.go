package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// mixed measures clients of one user who read, mark, store and come and go in
// one mailbox.
func (m *imapBench) mixed() error {
	const clients = 8
	span := time.Duration(m.scale(100)) * 100 * time.Millisecond
	n := m.smallCount()
	const rate = "rate"
	got, err := m.measure(min(m.rounds, 3), func(s *server, put func(string, float64)) error {
		var done atomic.Int64
		before := s.settle()
		start := time.Now()
		err := together(clients, func(i int) error {
			w := &mixedClient{Rand: rand.New(rand.NewPCG(uint64(i), 9051)), server: s, messages: n}
			return w.work(start.Add(span), &done)
		})
		took := time.Since(start)
		used := s.settle() - before
		if err != nil {
			return err
		}
		put(rate, float64(done.Load())/took.Seconds())
		put(cpuOf, used.Seconds()*1000/float64(done.Load()))
		return restore(s, n)
	})
	if err != nil {
		return fmt.Errorf("mixed load: %w", err)
	}
	what := fmt.Sprintf("%d clients of one user, %d messages, mixed load", clients, n)
	m.table.add(what, "operations /s", got[rate], faster(1)...)
	m.table.add(what, "CPU ms per operation", got[cpuOf], ahead(1)...)
	return nil
}

// restore takes away what clients appended to the smaller mailbox, and their flags.
func restore(s *server, n int) error {
	c, err := imapConnect(s, smallUser)
	if err != nil {
		return err
	}
	if a := c.do("SELECT INBOX"); a.exists > n {
		c.removeFrom(n)
	}
	c.do("STORE 1:* -FLAGS.SILENT (\\Flagged)")
	return c.quit()
}

// mixedClient is one client of the mixed load.
type mixedClient struct {
	*rand.Rand
	*imapConn
	server   *server
	messages int // no client removes one of these
}

// work does one thing after the other until the time is over.
func (w *mixedClient) work(end time.Time, done *atomic.Int64) error {
	if err := w.comeBack(); err != nil {
		return err
	}
	for time.Now().Before(end) {
		if err := w.operation(); err != nil {
			return err
		}
		done.Add(1)
	}
	return w.quit()
}

// operation is one of ten: six read a message, two mark one, one stores one,
// one opens a session.
func (w *mixedClient) operation() error {
	message := 1 + w.IntN(w.messages)
	switch kind := w.IntN(10); {
	case kind < 6:
		if a := w.do(fmt.Sprintf("FETCH %d (UID BODY.PEEK[])", message)); w.err == nil && a.literals == 0 {
			return fmt.Errorf("message %d did not come", message)
		}
	case kind < 8:
		w.do(fmt.Sprintf("STORE %d %cFLAGS (\\Flagged)", message, "+-"[w.IntN(2)]))
	case kind < 9:
		w.append("INBOX", mixedText)
	default:
		return errors.Join(w.quit(), w.comeBack())
	}
	return w.err
}

var mixedText = body(4 << 10)

// comeBack opens the client's session; others may have stored mail meanwhile.
func (w *mixedClient) comeBack() (err error) {
	if w.imapConn, err = imapConnect(w.server, smallUser); err != nil {
		return err
	}
	if a := w.do("SELECT INBOX"); w.err == nil && a.exists < w.messages {
		return fmt.Errorf("%d messages in INBOX, there are at least %d", a.exists, w.messages)
	}
	return w.err
}

// elapsed is how long a function takes, in ms.
func elapsed(do func()) float64 {
	start := time.Now()
	do()
	return time.Since(start).Seconds() * 1000
}

// together runs a function n times at once.
func together(n int, do func(i int) error) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = do(i) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
