package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"time"
)

const largeNote = `One message of 100 MB comes in by SMTP, is queued, relayed, delivered and read out by POP3. The figure is the largest resident size
(VmHWM) of each program, first with a message of 4 KB, then with the large one.`

func benchLarge(b *bench) (*table, error) {
	servers, err := b.startAll(b.ours(map[string]string{"databytes": "0\n"}))
	if err != nil {
		return nil, err
	}
	defer stopAll(servers)
	s := servers[0]
	small, err := largeRound(s, 4<<10)
	if err != nil {
		return nil, err
	}
	large, err := largeRound(s, b.scale(100)<<20)
	if err != nil {
		return nil, err
	}
	const before = "with 4 KB"
	t := newTable(ours, before)
	for _, program := range []string{"smtpd", "relay", "deliver", "pop3d"} {
		got := map[string]series{ours: {large[program] / 1024}, before: {small[program] / 1024}}
		t.add(program, "peak RSS, MiB", got, goal{to: before, atMost: 2, minus: true})
	}
	return t, nil
}

// largeRound sends one message and reads it out, and returns the peaks of the
// programs while their sessions last.
func largeRound(s *server, size int) (map[string]float64, error) {
	if err := s.empty(); err != nil {
		return nil, err
	}
	arrived, err := watch(s.maildirs)
	if err != nil {
		return nil, err
	}
	conn, err := net.Dial("tcp4", s.smtp)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Minute))
	text := body(size)
	c := &smtpConn{conn: conn, in: bufio.NewReader(conn)}
	c.expect("220")
	c.say("EHLO client.example.org\r\n", "250")
	c.say("MAIL FROM:<sender@example.org>\r\nRCPT TO:<"+recipients()[0]+">\r\nDATA\r\n", "250", "250", "354")
	c.write(text, []byte(".\r\n"))
	c.expect("250")
	if c.err != nil {
		return nil, c.err
	}
	if err := arrived.wait(1, 2*time.Minute); err != nil {
		return nil, err
	}
	p, err := popLogin(s.pop3, s.login(0))
	if err != nil {
		return nil, err
	}
	read := p.retrieve(1, false)
	if p.err != nil || read < int64(bytes.Count(text, []byte("\n"))) || read < int64(size) {
		return nil, fmt.Errorf("%d octets came back of %d: %v", read, len(text), p.err)
	}
	peaks := s.peaks()
	c.say("QUIT\r\n", "221")
	return peaks, p.quit()
}
