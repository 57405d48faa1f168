package main

import (
	"io"
	"os"

	"rohrpost/cmd/internal/frame"
	"rohrpost/cmd/internal/login"
	"rohrpost/protocol/pop3"
)

// transact is the second half: it serves one Maildir to its owner.
func (s *server) transact(path string) error {
	box, err := login.OpenMaildir(path, s.flags.create)
	if err != nil && !frame.IsUsage(err) {
		io.WriteString(s.client.Conn, "-ERR [SYS/TEMP] cannot open the mailbox now, try again later\r\n")
	}
	if err != nil {
		return err
	}
	defer box.Close()
	t := &pop3.Transaction{
		Conn:      s.client.Conn,
		Log:       s.client.Log.Event,
		Box:       box,
		IDs:       s.ids,
		KeepFlags: s.flags.keepFlags,
		Offered:   os.Getenv(offeredEnv),
	}
	err = t.Transact()
	s.client.Log.Event("session", "user", os.Getenv("USER"), "peer", s.client.Peer.RemoteIP(),
		"msgs", t.Stats.Messages, "retr", t.Stats.Retrieved, "top", t.Stats.Tops, "dele", t.Stats.Deleted, "err", err)
	return nil
}
