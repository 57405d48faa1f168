package queue

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestSweepRemovesDebrisOnly(t *testing.T) {
	t.Parallel()
	q, path := newQueue(t)
	put(t, q, one("", "a@x.example"), "m\n")
	e := only(t, q)
	if err := q.Note(e, "451 later"); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for name, age := range map[string]time.Duration{
		"tmp/old": 37 * time.Hour, "tmp/young": 35 * time.Hour, "drop/tmp/old": 37 * time.Hour, "drop/tmp/young": time.Hour,
		"rohrpost.notes/1.gone": 37 * time.Hour, "rohrpost.notes/1.young": time.Hour, "rohrpost.notes/" + e.ID: 1000 * time.Hour,
	} {
		file := filepath.Join(path, name)
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, now, now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := q.Sweep(now); n != 3 || err != nil {
		t.Errorf("removed %d, %v", n, err)
	}
	left := fmt.Sprint(names(t, path+"/tmp"), names(t, path+"/drop/tmp"), names(t, path+"/"+NotesDir))
	if left != fmt.Sprintf("[young] [young] [1.young %s]", e.ID) {
		t.Errorf("left %s", left)
	}
	only(t, q)
}
