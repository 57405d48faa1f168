package main

import (
	"io"
	"os"

	"rohrpost/cmd/internal/control"
	"rohrpost/cmd/internal/frame"
	"rohrpost/cmd/internal/login"
	imap "rohrpost/protocol/imap/server"
)

// serve is the second half: it serves a Maildir to its owner.
func (s *server) serve(path string) error {
	limit, err := control.Open(s.flags.etc).Int("DATABYTES", "databytes", 52428800)
	if err != nil {
		return s.turnAway(err)
	}
	inbox, err := login.OpenMaildir(path, s.flags.create)
	if err != nil {
		return s.turnAway(err)
	}
	defer inbox.Close()
	session := &imap.Session{
		Conn:        s.client.Conn,
		Log:         s.client.Log.Event,
		Inbox:       inbox,
		Tag:         os.Getenv(tagEnv),
		User:        os.Getenv("USER"),
		Version:     frame.Version,
		AppendLimit: limit,
	}
	err = session.Serve()
	s.client.Log.Event("session", "user", session.User, "peer", s.client.Peer.RemoteIP(), "cmds", session.Commands(), "err", err)
	return nil
}

// turnAway tells the client that there is no mailbox for him now, and returns why.
// Misuse of the command line is between us and who typed it.
func (s *server) turnAway(why error) error {
	if frame.IsUsage(why) {
		return why
	}
	const text = "[UNAVAILABLE] cannot open the mailbox now, try again later\r\n"
	if tag := os.Getenv(tagEnv); tag != "" {
		io.WriteString(s.client.Conn, tag+" NO "+text)
	}
	io.WriteString(s.client.Conn, "* BYE "+text)
	return why
}
