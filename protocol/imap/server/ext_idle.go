package server

import (
	"time"

	"rohrpost/protocol/imap"
)

// aliveEvery is how often a client that idles hears something, so that both ends
// and what is between them know of each other.
const aliveEvery = 2 * time.Minute

// idle is IDLE (RFC 9051 section 6.3.13): the client waits for news, until it says
// DONE. It never times out as long as what is written to it arrives.
func (s *Session) idle(c imap.Command) (reply, error) {
	if err := s.d.End(); err != nil {
		return reply{}, err
	}
	if err := s.resume("idling"); err != nil {
		return reply{}, err
	}
	s.syncFlags("IDLE")
	s.slim()
	for s.r.Buffered() == 0 {
		client, err := s.await()
		if err != nil {
			return reply{}, err
		}
		if client {
			break
		}
		if err := s.w.Flush(); err != nil {
			return reply{}, err
		}
	}
	return ok("idled"), s.d.Done(c.Tag)
}

// await waits for the client or for news, and writes the news.
func (s *Session) await() (client bool, err error) {
	fd, wait := -1, aliveEvery
	if s.box != nil {
		if fd = s.box.Fd(); fd < 0 {
			wait = time.Second // nobody tells us: look
		}
	}
	client, err = s.Conn.WaitReadable(fd, wait)
	if client || err != nil {
		return client, err
	}
	if now := s.Now(); now.Sub(s.heard) >= aliveEvery {
		s.heard = now
		s.say("", ok("still here"))
	}
	if s.box == nil {
		return false, nil
	}
	return false, s.tell(allNews, false)
}
