package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"rohrpost/cmd/internal/maillog"
	"rohrpost/maildir"
)

// explain is the dry run: it says on w, one line a decision, where the message
// would go and who decided it, and returns what the delivery would. Nothing is
// written anywhere else. Without input only the place is told.
func (s *single) explain(w io.Writer, input bool) error {
	log := maillog.New("deliver")
	var unsaid error
	log.Write = func(line []byte) {
		if _, err := w.Write(line); unsaid == nil {
			unsaid = err
		}
	}
	for _, p := range []struct {
		event string
		part  part
	}{{"sender", s.env.sender}, {"recipient", s.env.recipient}, {"extension", s.env.ext}} {
		if p.part.known() {
			log.Event(p.event, "value", p.part.value, "by", p.part.by)
		}
	}
	err := s.explainPlace(log)
	var n counter
	if err == nil && input {
		err = s.explainMessage(&n)
	}
	if err != nil {
		r := judge(err)
		log.Event("refuse", "code", r.code, "text", r.text, "why", r.why)
		err = exitOf(r)
	} else if input {
		log.Event("store", "bytes", int64(n))
	}
	if unsaid != nil {
		return fmt.Errorf("say where the message would go: %w", unsaid)
	}
	return err
}

func (s *single) explainPlace(log *maillog.Logger) error {
	path := filepath.Clean(s.to.maildir.value)
	log.Event("maildir", "path", path, "by", s.to.maildir.by)
	t, err := s.to.find(s.fs, maildir.Open)
	if errors.Is(err, fs.ErrNotExist) {
		log.Event("make", "path", path, "why", "it does not exist")
		return nil
	}
	if err != nil {
		return err
	}
	defer t.close()
	if t.by != "" {
		log.Event("folder", "name", t.name(), "path", t.box.Path(), "by", t.by)
	}
	return nil
}

// explainMessage reads the message as a delivery would.
func (s *single) explainMessage(n *counter) error {
	m := newIncoming(s.in, s.env)
	if err := m.begin(); err != nil {
		return err
	}
	if err := m.writeTo(n); err != nil {
		return err
	}
	return s.check(m)
}

// counter counts what is written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }
