package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// measured is who stores one flag at a time, and where: imapd takes the lock of
// Dovecot's list only in folders that Dovecot has an index of.
var measured = []struct {
	what, folder, server string
	shared               bool
}{
	{"imapd, in a folder of its own", "own", imapd, false},
	{"imapd, in a folder that Dovecot serves too", "shared", imapd, true},
	{"Dovecot", "theirs", dovecot, true},
}

// How often it is measured, and with how many messages.
const (
	measureRounds = 5
	measureStores = 200
)

// measure prints how long one STORE takes in folders of n messages.
func (p *place) measure(n int) error {
	h, err := p.host("measure")
	if err != nil {
		return err
	}
	for _, m := range measured {
		if err := h.fill(m.folder, n); err != nil {
			return err
		}
		if !m.shared {
			continue
		}
		if err := h.stores(dovecot, m.folder, n, new([]time.Duration)); err != nil {
			return err
		}
	}
	took := make([][]time.Duration, len(measured))
	for range measureRounds {
		for i, m := range measured {
			if err := h.share(m.folder, m.shared); err != nil {
				return err
			}
			if err := h.stores(m.server, m.folder, n, &took[i]); err != nil {
				return err
			}
		}
	}
	for i, m := range measured {
		slices.Sort(took[i])
		fmt.Printf("one STORE of %d, p50 %.3f ms, p95 %.3f ms: %s\n", n, ms(took[i], 50), ms(took[i], 95), m.what)
	}
	return nil
}

// share makes sure that Dovecot has an index of a folder, or that it has none: it makes
// some for folders that it was not asked for.
func (h *host) share(folder string, on bool) error {
	const log = "dovecot.index.log"
	_, err := os.Stat(filepath.Join(h.folder(folder), log))
	if !on && err == nil {
		return os.Remove(filepath.Join(h.folder(folder), log))
	}
	if on {
		return err
	}
	return nil
}

func ms(sorted []time.Duration, percent int) float64 {
	return sorted[len(sorted)*percent/100].Seconds() * 1000
}

// fill makes a folder with n messages.
func (h *host) fill(folder string, n int) error {
	for _, sub := range []string{"cur", "new", "tmp"} {
		if err := os.MkdirAll(filepath.Join(h.folder(folder), sub), 0o700); err != nil {
			return err
		}
	}
	for i := range n {
		id := fmt.Sprintf("%d.M%dP1.example,S=40,W=43:2,", 1700000000+i, i)
		if err := os.WriteFile(filepath.Join(h.folder(folder), "cur", id), []byte(message(id)), 0o600); err != nil {
			return err
		}
	}
	return h.own(h.folder(folder))
}

// stores sets a flag of messages all over a folder, one by one, in a session that
// has done so once before the clock starts, and takes it away again.
func (h *host) stores(server, folder string, n int, took *[]time.Duration) error {
	s, err := h.session(server)
	if err != nil {
		return err
	}
	defer s.close()
	if _, err := s.do("SELECT %s", folder); err != nil {
		return err
	}
	if _, err := s.do(`STORE 1:* -FLAGS.SILENT (\Flagged)`); err != nil {
		return err
	}
	for i := range measureStores {
		start := time.Now()
		if _, err := s.do(`STORE %d +FLAGS (\Flagged)`, 1+i*7919%n); err != nil {
			return err
		}
		if i > 0 {
			*took = append(*took, time.Since(start))
		}
	}
	return nil
}
