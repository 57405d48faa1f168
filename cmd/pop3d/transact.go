package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"rohrpost/cmd/internal/frame"
	"rohrpost/cmd/internal/login"
	"rohrpost/maildir"
	"rohrpost/maildir/disk"
	"rohrpost/protocol/pop3"
)

// transact is the second half: it serves one Maildir to its owner.
func (s *server) transact(path string) error {
	if path == "" {
		dir, err := os.Getwd()
		if err != nil {
			return fmt.Errorf("find the Maildir: %w", err)
		}
		if os.Getenv("MAILDIR") == "" && os.Getenv("HOME") == "" {
			return frame.Usage(errors.New("no MAILDIR given, and neither MAILDIR nor HOME is set"))
		}
		path = login.Maildir(os.Environ(), dir)
	}
	box, err := s.open(path)
	if err != nil {
		io.WriteString(s.conn, "-ERR [SYS/TEMP] cannot open the mailbox now, try again later\r\n")
		return err
	}
	defer box.Close()
	t := &pop3.Transaction{
		Conn:      s.conn,
		Log:       s.log.Event,
		Box:       box,
		IDs:       s.ids,
		KeepFlags: s.flags.keepFlags,
		Offered:   os.Getenv(offeredEnv),
	}
	err = t.Transact()
	s.log.Event("session", "user", os.Getenv("USER"), "peer", s.peer.RemoteIP(),
		"msgs", t.Stats.Messages, "retr", t.Stats.Retrieved, "top", t.Stats.Tops, "dele", t.Stats.Deleted, "err", err)
	return nil
}

// open opens the Maildir, or makes it: a user who never got mail has none, and
// that is no reason to turn him away.
func (s *server) open(path string) (*maildir.Maildir, error) {
	if s.flags.create {
		return maildir.Create(path, disk.OS)
	}
	box, err := maildir.Open(path, disk.OS)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w; is the path right? --create makes it", err)
	}
	return box, err
}
