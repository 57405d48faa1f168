package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"rohrpost/cmd/internal/progtest"
	"rohrpost/maildir"
)

// deliverAll delivers n messages, one process each.
func (w *world) deliverAll(name string, rng *rand.Rand, n int) {
	for i := 0; i < n && !w.stop.Load(); i++ {
		id := fmt.Sprintf("%s-%d", name, i)
		box := boxes[rng.IntN(len(boxes))]
		env := []string{"SENDER=a@example.org", "RECIPIENT=b@example.net", "HOME=" + w.home}
		r := progtest.RunCmd(w.t, strings.NewReader(textOf(id)), progtest.Command(w.t, env, "deliver", w.dir(box)))
		if r.Code != 0 {
			w.failf("deliver exited %d: %s", r.Code, r.Stderr)
			return
		}
		w.ack(id)
		w.delivered.Add(1)
	}
}

// readMail does to the files what mail readers do that know no lock: new mail moves
// to cur, flags change by a rename, messages go.
func (w *world) readMail(rng *rand.Rand) {
	for !w.stop.Load() {
		box := w.dir(boxes[rng.IntN(len(boxes))])
		sub := []string{"new", "cur"}[rng.IntN(2)]
		names := w.names(filepath.Join(box, sub))
		for range min(len(names), 5) {
			w.touch(box, sub, names[rng.IntN(len(names))], rng)
		}
		// So that the directories come to rest now and then, as a scan needs it.
		time.Sleep(time.Duration(rng.IntN(60)) * time.Millisecond)
	}
}

// touch changes one file. That it has gone meanwhile is no error.
func (w *world) touch(box, sub, name string, rng *rand.Rand) {
	path := filepath.Join(box, sub, name)
	text, err := os.ReadFile(path)
	if err != nil {
		return
	}
	n := maildir.ParseName(name)
	flags := n.Flags ^ []maildir.Flags{maildir.Seen, maildir.Flagged, maildir.Replied, maildir.Passed}[rng.IntN(4)]
	if id := idOf(string(text)); mortal(id) && rng.IntN(10) == 0 {
		w.trash(id)
		if rng.IntN(2) == 0 {
			w.count(os.Remove(path))
			return
		}
		flags |= maildir.Trashed
	}
	w.count(os.Rename(path, filepath.Join(box, "cur", n.WithFlags(flags).String())))
}

func (w *world) count(err error) {
	if err == nil {
		w.changed.Add(1)
	} else if !os.IsNotExist(err) {
		w.failf("mail reader: %v", err)
	}
}

// watchMoves looks again and again whether every message that nobody has given up is
// somewhere (I6). One look can miss what moves meanwhile, so it counts only if
// several do.
func (w *world) watchMoves() {
	ids := map[string]string{} // by base
	for !w.stop.Load() {
		w.mu.Lock()
		var want []string
		for id := range w.acked {
			if !mortal(id) {
				want = append(want, id)
			}
		}
		w.mu.Unlock()
		for look := 0; len(want) > 0; look++ {
			if look == 20 {
				w.failf("I6: nowhere: %q", want)
				return
			}
			want = w.missing(want, ids)
		}
		w.looks.Add(1)
		time.Sleep(10 * time.Millisecond)
	}
}

// missing leaves those of want that are in no file now.
func (w *world) missing(want []string, ids map[string]string) (left []string) {
	seen := map[string]bool{}
	for _, box := range []string{boxes[0], boxes[1], boxes[0]} {
		for _, f := range w.files(box) {
			base := string(maildir.BaseOf([]byte(filepath.Base(f))))
			if ids[base] == "" {
				text, err := os.ReadFile(f)
				if err != nil {
					continue
				}
				ids[base] = idOf(string(text))
			}
			seen[ids[base]] = true
		}
	}
	for _, id := range want {
		if !seen[id] {
			left = append(left, id)
		}
	}
	return left
}

// isIn reports whether a mailbox certainly has a message of this id: one that was
// never copied nor moved but once.
func (w *world) isIn(box, id string) bool {
	w.mu.Lock()
	once := w.transfers[id] == 1
	w.mu.Unlock()
	for _, f := range w.files(box) {
		if text, err := os.ReadFile(f); err == nil && once && idOf(string(text)) == id {
			return true
		}
	}
	return false
}
