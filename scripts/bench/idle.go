package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"time"
)

const idleNote = `200 sessions open at once, nothing sent any more. Memory is the proportional set size of all processes of the server, its growth per
session; ours are started by listen, which is counted too. Sessions of POP3 are logged in to an empty mailbox.`

// An idler opens one session and leaves it open.
type idler func(addr string) (net.Conn, error)

func idleSMTP(addr string) (net.Conn, error) {
	conn, err := net.Dial("tcp4", addr)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(time.Minute))
	c := &smtpConn{conn: conn, in: bufio.NewReader(conn)}
	c.expect("220")
	c.say("EHLO client.example.org\r\n", "250")
	return conn, c.err
}

func idlePOP3(addr string) (net.Conn, error) {
	c, err := popLogin(addr, userName(0)+"@"+mailDomain)
	if err != nil {
		return nil, err
	}
	return c.conn, nil
}

// idleRows are what is idle, and who besides us serves it.
var idleRows = []struct {
	what    string
	program string
	peer    contender
	addr    func(*server) string
	open    idler
}{
	{"SMTP after EHLO", "smtpd", postfix, (*server).smtpAddr, idleSMTP},
	{"POP3 logged in", "pop3d", dovecot, (*server).pop3Addr, idlePOP3},
}

func benchIdle(b *bench) (*table, error) {
	t := newTable(ours, postfix.name, dovecot.name)
	for _, row := range idleRows {
		got := map[string]series{}
		for range b.rounds {
			// Anew for each round: some keep processes of old sessions for later.
			servers, err := b.startAll(b.oursAlone(row.program), row.peer)
			for _, s := range servers {
				v, e := idleRound(s, row.addr(s), b.scale(200), row.open)
				got[s.name] = append(got[s.name], v)
				err = errors.Join(err, e)
			}
			stopAll(servers)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", row.what, err)
			}
		}
		t.add(row.what, "PSS per session, KiB", got, goal{atMost: 768})
	}
	return t, nil
}

// idleRound is the memory that each of n sessions adds, in KiB.
func idleRound(s *server, addr string, n int, open idler) (float64, error) {
	s.settle()
	before := s.pss()
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	for range n {
		c, err := open(addr)
		if err != nil {
			return 0, fmt.Errorf("session %d: %w", len(conns)+1, err)
		}
		conns = append(conns, c)
	}
	s.settle()
	return (s.pss() - before) / float64(n), nil
}
