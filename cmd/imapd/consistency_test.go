package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rohrpost/cmd/internal/progtest"
)

// make consistency sets these.
var (
	consistencySeed = flag.Uint64("consistency.seed", 0, "`seed` of TestConsistency; 0 takes one from the clock")
	consistencySize = flag.Int("consistency.commands", 0, "commands of each session of TestConsistency")
)

// TestConsistency has programs deliver, sessions read, flag, copy, move and expunge,
// and a mail reader rename and delete files, all in one Maildir at once. Each session
// is held to a model that knows every sequence number it was told. The invariants
// are those of the catalogue:
//
//	I1  what was acknowledged is there, whole
//	I2  every file is a message that somebody sent
//	I3  no message is there more often than it was copied
//	I4  folder, UIDVALIDITY and UID name one message for ever
//	I5  UIDNEXT and HIGHESTMODSEQ never fall
//	I6  a message that is moved is in one of the folders at every instant
//	I7  nothing else in the home directory changes
//	I9  exit codes and answers are those documented
//	I10 no file is left in tmp, no lock is left
//	I11 what was told to be expunged never comes back
func TestConsistency(t *testing.T) {
	if *consistencySize == 0 {
		t.Skip("a race of many programs: make consistency runs it")
	}
	seed := *consistencySeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed)
	w := newWorld(t, seed)
	w.run(*consistencySize)
	w.judge()
	t.Logf("%d commands, %d deliveries, %d changes by a mail reader, %d looks", w.commands.Load(), w.delivered.Load(), w.changed.Load(), w.looks.Load())
}

// boxes are the mailboxes of the world, with their directories.
var boxes = []string{"INBOX", "Box"}

// world is a Maildir and all who work on it.
type world struct {
	t    *testing.T
	seed uint64
	home string
	ledger
	clients []*client

	stop                                atomic.Bool
	commands, delivered, changed, looks atomic.Int64
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{t: t, seed: seed, ledger: newLedger()}
	m := boxTree(t, "Box")
	w.home = filepath.Dir(m.Path())
	if err := os.WriteFile(filepath.Join(w.home, "decoy"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	progtest.Bin(t, "deliver")
	for i, k := range []kind{plainClient, condstoreClient, qresyncClient, rev2Client, qresyncClient} {
		w.clients = append(w.clients, newClient(w, fmt.Sprintf("c%d", i), k))
	}
	return w
}

func (w *world) rand(n uint64) *rand.Rand { return rand.New(rand.NewPCG(w.seed, n)) }

func (w *world) dir(box string) string {
	if box == "INBOX" {
		return filepath.Join(w.home, "Maildir")
	}
	return filepath.Join(w.home, "Maildir", "."+box)
}

// run lets all work until the sessions have had their commands.
func (w *world) run(commands int) {
	var others, sessions sync.WaitGroup
	for i := range 3 {
		others.Go(func() { w.deliverAll(fmt.Sprintf("w%d", i), w.rand(uint64(100+i)), commands/2) })
	}
	for i := range 2 {
		others.Go(func() { w.readMail(w.rand(uint64(200 + i))) })
	}
	others.Go(w.watchMoves)
	for _, c := range w.clients {
		sessions.Go(func() { c.work(commands) })
	}
	sessions.Wait()
	w.stop.Store(true)
	others.Wait()
}

// judge looks at what is left when nobody works any more.
func (w *world) judge() {
	if w.t.Failed() {
		return
	}
	fresh := map[string]*client{}
	for _, box := range boxes {
		c := newClient(w, "fresh-"+box, plainClient)
		c.begin()
		c.choose(box)
		fresh[box] = c
	}
	for _, c := range w.clients {
		c.converge(fresh[c.box])
		c.reselect() // with QRESYNC, if it has that: the same again
		c.same(fresh[c.box])
	}
	for _, c := range append(w.clients, fresh["INBOX"], fresh["Box"]) {
		c.end()
	}
	w.judgeFiles()
}

// judgeFiles holds what is on disk to I1, I2, I3, I7 and I10.
func (w *world) judgeFiles() {
	files := map[string][]string{}
	for _, box := range boxes {
		for _, f := range w.files(box) {
			text, err := os.ReadFile(f)
			if err != nil {
				w.t.Fatal(err)
			}
			id := idOf(string(text))
			if !strings.HasSuffix(string(text), textOf(id)) {
				w.failf("I2: %s is no message: %.200q", f, text)
			}
			files[id] = append(files[id], f)
		}
		for _, pattern := range []string{"/tmp/*", "/dovecot*.lock"} {
			if left, _ := filepath.Glob(w.dir(box) + pattern); len(left) > 0 {
				w.failf("I10: left: %q", left)
			}
		}
	}
	for id := range w.acked {
		if most := 1 + w.transfers[id]; len(files[id]) > most {
			w.failf("I3: %s is there more than %d times: %q", id, most, files[id])
		}
		if len(files[id]) == 0 && !w.trashed[id] {
			w.failf("I1: %s is lost", id)
		}
	}
	if names := w.names(w.home); !slices.Equal(names, []string{"Maildir", "decoy"}) {
		w.failf("I7: the home directory has %q", names)
	}
}

func (w *world) names(dir string) (names []string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		w.failf("%v", err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// files are the paths of the messages of a mailbox.
func (w *world) files(box string) (files []string) {
	for _, sub := range []string{"new", "cur"} {
		for _, name := range w.names(filepath.Join(w.dir(box), sub)) {
			files = append(files, filepath.Join(w.dir(box), sub, name))
		}
	}
	return files
}

// failf tells of a violation, and ends all work.
func (w *world) failf(format string, a ...any) {
	w.t.Helper()
	w.t.Errorf("seed %d: %s", w.seed, fmt.Sprintf(format, a...))
	w.stop.Store(true)
}
