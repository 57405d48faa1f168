// Dovecot lets imapd and Dovecot's imap work on one Maildir, by turns and at once,
// and compares what they tell of it:
//
//	make interop-dovecot
//	make interop-dovecot DOVECOT='-time 5m'
//	make interop-dovecot DOVECOT='-time 5m -messages 1500 -workers "imapd dovecot deliver"'
//
// Messages come by deliver and by APPEND; get flags and keywords, are copied, moved
// and expunged by both servers; and are renamed by a third, as mail readers that work
// on the files do. No UID may be of two messages and no message have more UIDs than
// it came into a folder; no UIDVALIDITY, INTERNALDATE or size may change; what nobody
// removed must be in every listing, what was removed in none; flags that only one of
// them sets must be as he left them; and in the end both must tell the same.
//
// In folders of more than some 300 messages, which no kernel lists in one piece, Dovecot
// takes those for removed that a mail reader renames meanwhile, without its lock, and
// gives them new UIDs; also if imapd has no part in it. So there is no reader there.
//
// Before that, trees that Dovecot and Courier have written are served by imapd, and
// then by Dovecot again.
//
// Both run on pipes, after login, as the user mail if this program runs as root. It
// needs Debian's dovecot-imapd (2.3), with a configuration of its own. Exit 1 if
// anything is wrong, 2 if it could not run.
//
// With -fixture DIR it writes a small Maildir by one server alone and what that tells
// of it, for the tests in maildir.
//
// With -measure N it measures one STORE, with Dovecot's lock and without.
//
// Start reading at steps in steps.go; what is held against them is in ledger.go.
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"time"
)

// options are the flags of the command line.
type options struct {
	bin, dovecot, courier string
	trees, fixture, keep  string
	workers               string
	turns, messages       int
	measure               int
	span                  time.Duration
	seed                  uint64
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "bin", "where our programs are")
	flag.StringVar(&o.dovecot, "dovecot", "/usr/lib/dovecot/imap", "Dovecot's `PROGRAM` for one session")
	flag.StringVar(&o.courier, "courier", "", "Courier's `PROGRAM` for one session, for -fixture")
	flag.StringVar(&o.trees, "trees", "maildir/uidlist/testdata", "where the fixtures are")
	flag.StringVar(&o.fixture, "fixture", "", "write a fixture to `DIR`, and do nothing else")
	flag.StringVar(&o.keep, "keep", "", "work in `DIR` and leave everything there")
	flag.IntVar(&o.measure, "measure", 0, "measure one STORE in folders of `N` messages, and do nothing else")
	flag.StringVar(&o.workers, "workers", "imapd dovecot deliver reader", "who works")
	flag.IntVar(&o.turns, "turns", 24, "how many turns are taken one after the other")
	flag.IntVar(&o.messages, "messages", 150, "about how many messages a folder has")
	flag.DurationVar(&o.span, "time", 5*time.Second, "how long all work at once")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "which random things are done")
	flag.Parse()
	wrong, err := run(o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "dovecot:", err)
		os.Exit(2)
	}
	if wrong > 0 {
		os.Exit(1)
	}
}

func run(o options) (wrong int, err error) {
	p, err := newPlace(o)
	if err != nil {
		return 0, err
	}
	defer p.remove()
	if o.fixture != "" {
		return 0, p.fixture(o.fixture)
	}
	if o.measure > 0 {
		return 0, p.measure(o.measure)
	}
	fmt.Println("seed", o.seed)
	r := rand.New(rand.NewPCG(o.seed, 0))
	for _, part := range []struct {
		name string
		do   func(*place, *rand.Rand, options) (*ledger, error)
	}{
		{"tree of Dovecot 2.3, fixture", takeFixture("dovecot-2.3")},
		{"tree of Courier 5.0, fixture", takeFixture("courier-5.0")},
		{"tree of Dovecot, fresh", takeFresh},
		{"both, by turns", byTurns},
		{"both at once", atOnce},
	} {
		l, err := part.do(p, r, o)
		if err != nil {
			return wrong, fmt.Errorf("%s: %w", part.name, err)
		}
		wrong += l.report(part.name)
	}
	return wrong, nil
}

// byTurns lets one after the other work, and compares after each.
func byTurns(p *place, r *rand.Rand, o options) (*ledger, error) {
	h, err := p.host("turns")
	if err != nil {
		return nil, err
	}
	if err := h.furnish(); err != nil {
		return nil, err
	}
	return h.ledger, h.turns(r, o)
}

func (h *host) turns(r *rand.Rand, o options) error {
	crew := h.crew(r, o)
	for turn := range o.turns {
		w := crew[r.IntN(len(crew))]
		if err := w.work(6); err != nil {
			return fmt.Errorf("turn %d of %s: %w", turn, w.name, err)
		}
		if err := h.compare(fmt.Sprintf("turn %d, %s", turn, w.name)); err != nil {
			return fmt.Errorf("turn %d of %s: %w", turn, w.name, err)
		}
	}
	return nil
}

// atOnce lets all work at the same time, and compares when they have ended.
func atOnce(p *place, r *rand.Rand, o options) (*ledger, error) {
	h, err := p.host("once")
	if err != nil {
		return nil, err
	}
	if err := h.furnish(); err != nil {
		return nil, err
	}
	h.together, h.ledger.busy = true, true
	if err := h.all(h.crew(r, o), time.Now().Add(o.span)); err != nil {
		return nil, err
	}
	h.together, h.ledger.busy = false, false
	return h.ledger, h.compare("at the end")
}

// furnish makes the folders, half of them by either.
func (h *host) furnish() error {
	all := folders[1:]
	for _, w := range workers {
		all = append(all, own(w.name))
	}
	for i, folder := range all {
		s, err := h.session([]string{dovecot, imapd}[i%2])
		if err != nil {
			return err
		}
		if _, err := s.do("CREATE %s", folder); err != nil {
			return err
		}
		s.close()
	}
	return nil
}
