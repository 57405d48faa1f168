package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// takeFixture has imapd serve a tree that another server has written, then all by
// turns. imapd must tell what the other told when the tree was made.
func takeFixture(name string) func(*place, *rand.Rand, options) (*ledger, error) {
	return func(p *place, r *rand.Rand, o options) (*ledger, error) {
		h, err := p.host(name)
		if err != nil {
			return nil, err
		}
		if err := copyTree(filepath.Join(o.trees, name), h.maildir()); err != nil {
			return nil, err
		}
		if err := h.complete(name); err != nil {
			return nil, err
		}
		h.ledger.found = true
		if err := h.held(name); err != nil {
			return nil, err
		}
		h.ledger.found = false
		return h.ledger, h.goOn(r, o)
	}
}

// complete makes the empty directories that a fixture lacks, since git keeps none.
func (h *host) complete(tree string) error {
	folders, err := filepath.Glob(filepath.Join(h.maildir(), ".*"))
	if err != nil {
		return err
	}
	if tree == "dovecot-2.3" {
		folders = append(folders, h.folder("Lists.golang"), h.folder("Entw&APw-rfe"))
	}
	for _, folder := range append(folders, h.maildir()) {
		for _, sub := range []string{"cur", "new", "tmp"} {
			if err := os.MkdirAll(filepath.Join(folder, sub), 0o700); err != nil {
				return err
			}
		}
	}
	return h.own(h.maildir())
}

// held holds what imapd tells against the files want of a fixture.
func (h *host) held(name string) error {
	s, err := h.session(imapd)
	if err != nil {
		return err
	}
	defer s.close()
	for _, mailbox := range played {
		want, err := os.ReadFile(filepath.Join(h.folder(mailbox), "want"))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return err
		}
		v, err := h.ledger.look(imapd, s, mailbox)
		if err != nil {
			return err
		}
		if !strings.Contains(string(want), "UIDNEXT") { // Courier does not tell it
			v.next = 0
		}
		if got := v.text(); got != inOrderOfFlags(string(want)) {
			h.ledger.complain("%s: imapd tells of %s\n%swant\n%s", name, mailbox, got, want)
		}
	}
	return h.allSubscribed(s)
}

// inOrderOfFlags is the text of a view with the flags as sortFlags has them.
func inOrderOfFlags(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		first, flags, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		fmt.Fprintf(&b, "%s %s\n", first, sortFlags(strings.Fields(flags)))
	}
	return b.String()
}

// allSubscribed holds the subscriptions against those of the scene.
func (h *host) allSubscribed(s *session) error {
	got, err := s.subscriptions()
	want := slices.Sorted(slices.Values(played))
	if err == nil && !slices.Equal(got, want) {
		h.ledger.complain("%s tells subscriptions %q, want %q", s.server, got, want)
	}
	return err
}

// takeFresh is takeFixture with a tree that Dovecot writes now: imapd must tell of
// each message what Dovecot tells, also its date.
func takeFresh(p *place, r *rand.Rand, o options) (*ledger, error) {
	h, err := p.host("fresh")
	if err != nil {
		return nil, err
	}
	theirs, err := h.session(dovecot)
	if err != nil {
		return nil, err
	}
	defer theirs.close()
	if err := theirs.play(""); err != nil {
		return nil, err
	}
	ours, err := h.session(imapd)
	if err != nil {
		return nil, err
	}
	defer ours.close()
	h.ledger.found = true
	for _, mailbox := range played {
		a, err := h.ledger.look(dovecot, theirs, mailbox)
		if err != nil {
			return nil, err
		}
		b, err := h.ledger.look(imapd, ours, mailbox)
		if err != nil {
			return nil, err
		}
		for _, d := range differences(a, b) {
			h.ledger.complain("%s: dovecot and imapd tell %s", mailbox, d)
		}
	}
	h.ledger.found = false
	if err := h.allSubscribed(ours); err != nil {
		return nil, err
	}
	return h.ledger, h.goOn(r, o)
}

// goOn has all work by turns in a tree that was taken over.
func (h *host) goOn(r *rand.Rand, o options) error {
	if err := h.furnish(); err != nil {
		return err
	}
	if err := h.change(); err != nil {
		return err
	}
	if err := h.compare("taken over"); err != nil {
		return err
	}
	o.turns = 8
	return h.turns(r, o)
}

// change changes the subscriptions by imapd, so that those of Courier are taken over.
func (h *host) change() error {
	s, err := h.session(imapd)
	if err != nil {
		return err
	}
	defer s.close()
	name := own(workers[0].name)
	_, err = s.do("SUBSCRIBE %s", name)
	h.ledger.subscribed(name, true)
	return err
}
