package main

import (
	"bufio"
	"fmt"
	"net"
	"time"
)

const startNote = `300 connections, one after the other: connect, read the greeting, QUIT. Time is from connect to the greeting's line, the median of the
round. The floor is a Go program under the same listen that writes a greeting and knows nothing else. Postfix and Dovecot keep processes for the next
connection.`

var startRows = []struct {
	program string
	peer    contender
	addr    func(*server) string
}{
	{"smtpd", postfix, (*server).smtpAddr},
	{"pop3d", dovecot, (*server).pop3Addr},
}

func benchStart(b *bench) (*table, error) {
	t := newTable(ours, floorName, postfix.name, dovecot.name)
	for _, row := range startRows {
		servers, err := b.startAll(b.oursAlone(row.program), b.floor(), row.peer)
		if err != nil {
			return nil, err
		}
		wait, cpu := map[string]series{}, map[string]series{}
		for round := -1; round < b.rounds && err == nil; round++ {
			for _, s := range servers {
				w, c, e := startRound(s, row.addr(s), b.scale(300))
				if e != nil {
					err = fmt.Errorf("%s: %w", s.name, e)
				}
				if round >= 0 {
					wait[s.name] = append(wait[s.name], w)
					cpu[s.name] = append(cpu[s.name], c)
				}
			}
		}
		stopAll(servers)
		if err != nil {
			return nil, err
		}
		t.add(row.program, "connect to greeting, ms", wait, goal{to: floorName, atMost: 2, minus: true})
		t.add(row.program, "CPU ms per connection", cpu)
	}
	return t, nil
}

// startRound makes n connections: the median time to the greeting in ms, and
// processor time per connection in ms.
func startRound(s *server, addr string, n int) (wait, cpu float64, err error) {
	before := s.settle()
	var waits series
	for range n {
		start := time.Now()
		conn, err := net.Dial("tcp4", addr)
		if err != nil {
			return 0, 0, err
		}
		conn.SetDeadline(time.Now().Add(time.Minute))
		in := bufio.NewReader(conn)
		_, err = in.ReadString('\n')
		waits = append(waits, time.Since(start).Seconds()*1000)
		if err == nil {
			fmt.Fprintf(conn, "QUIT\r\n")
			_, err = in.ReadString('\n')
		}
		conn.Close()
		if err != nil {
			return 0, 0, err
		}
	}
	return waits.median(), (s.settle() - before).Seconds() * 1000 / float64(n), nil
}
