package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const imapNote = `Mail of 9 KB on average: threads, text in two forms, attachments, encoded words; names as Dovecot gives them, with ,S= and ,W=. One client,
plain password. "First" is the first time that anything is asked of the mailbox after the server's indexes and caches were removed, its list of UIDs
kept, in a session of its own with SELECT done before the clock starts; "again" is the same in the next session. "No UIDs" means that the list of UIDs
was removed as well. The files are read before each turn, so that the kernel has them in its cache. Every answer is counted and compared with what was
generated. Dovecot and Courier have their packages' settings; Courier is measured in two rounds at most (one with the large mailbox) and left out where
it has no such command, takes tens of seconds a turn, or looks only once a minute (IDLE).`

// The users that the rows work on.
const (
	smallUser = iota
	largeUser
	foldersUser
	statusUser
)

// imapBench is what the parts of the IMAP table share.
type imapBench struct {
	*bench
	servers []*server
	mail    *corpus
	table   *table
	copied  time.Time // when the smaller mailbox was filled
}

func benchIMAP(b *bench) (*table, error) {
	if b.quick {
		b.rounds = min(b.rounds, 2) // so many rows
	}
	mail, err := makeCorpus(filepath.Join(b.dir, "mail"), b.scale(100_000))
	if err != nil {
		return nil, err
	}
	servers, err := b.startAll(b.oursAlone("imapd"), dovecot, b.courier())
	if err != nil {
		return nil, err
	}
	defer stopAll(servers)
	m := &imapBench{bench: b, servers: servers, mail: mail, table: newTable(ours, dovecot.name, courierName)}
	for _, part := range []func() error{m.small, m.changes, m.appends, m.folders, m.statuses, m.mixed, m.large} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	return m.table, nil
}

// smallCount is how many messages the smaller mailbox has.
func (m *imapBench) smallCount() int { return m.scale(10_000) }

// small measures what reads and waits, on the smaller mailbox; large does on the
// larger one, in fewer rounds.
func (m *imapBench) small() error {
	for _, s := range m.servers {
		if err := m.mail.copy(s.maildirs[smallUser], m.smallCount()); err != nil {
			return err
		}
	}
	m.copied = time.Now()
	if err := m.reads(smallUser, m.smallCount(), m.rounds); err != nil {
		return err
	}
	return m.deliveries(smallUser, m.smallCount(), m.rounds)
}

func (m *imapBench) large() error {
	n := len(m.mail.messages)
	for _, s := range m.servers {
		if err := m.mail.link(s.maildirs[largeUser], 0, n); err != nil {
			return err
		}
	}
	rounds := m.scale(min(m.rounds, 2))
	if err := m.reads(largeUser, n, rounds); err != nil {
		return err
	}
	return m.deliveries(largeUser, n, rounds)
}

// A trial is one turn of one contender. It puts each figure under its name.
type trial func(s *server, put func(figure string, value float64)) error

// figures are series by figure and contender.
type figures map[string]map[string]series

// measure gives every contender its turn, round by round. A contender that
// knows no such command keeps the figures put before it said so.
func (m *imapBench) measure(rounds int, turn trial) (figures, error) {
	got := figures{}
	out := map[string]bool{}
	for round := range rounds {
		for _, s := range m.servers {
			if out[s.name] || s.name == courierName && round >= m.courierRounds(rounds) {
				continue
			}
			err := turn(s, func(figure string, value float64) {
				if got[figure] == nil {
					got[figure] = map[string]series{}
				}
				got[figure][s.name] = append(got[figure][s.name], value)
			})
			var no refusal
			if errors.As(err, &no) || errors.Is(err, errLeftOut) {
				fmt.Fprintf(os.Stderr, "bench: %s: %v\n", s.name, err)
				out[s.name] = true
			} else if err != nil {
				return nil, fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	return got, nil
}

// courierRounds is how often Courier, which parses all mail for each question,
// takes part.
func (m *imapBench) courierRounds(rounds int) int { return min((rounds+1)/2, 2) }

// ahead is the usual goal: at most so much of Dovecot's figure, and not more
// than Courier's.
func ahead(atMost float64) []goal {
	return []goal{{to: dovecot.name, atMost: atMost}, {to: courierName, atMost: 1}}
}

// faster is the same for rates.
func faster(atLeast float64) []goal {
	return []goal{{to: dovecot.name, atLeast: atLeast}, {to: courierName, atLeast: 1}}
}

// indexes are what a server writes down besides UIDs and keywords, as patterns;
// everything is that and the UIDs.
var (
	indexes    = []string{"dovecot.*", "rohrpost.*"}
	everything = append([]string{"dovecot-uid*", "courierimapuiddb"}, indexes...)
)

// forgetAll removes what the server has written down about a mailbox and the
// folders in it.
func forgetAll(box string, patterns []string) error {
	return filepath.WalkDir(box, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == box {
			return err
		}
		name := d.Name()
		for _, p := range patterns {
			if ok, _ := filepath.Match(p, name); ok {
				if err := os.RemoveAll(path); err != nil || d.IsDir() {
					return errors.Join(err, skipIf(d.IsDir()))
				}
				return nil
			}
		}
		// Folders begin with a dot; in the others lie only messages.
		return skipIf(d.IsDir() && !strings.HasPrefix(name, "."))
	})
}

func skipIf(yes bool) error {
	if yes {
		return fs.SkipDir
	}
	return nil
}
