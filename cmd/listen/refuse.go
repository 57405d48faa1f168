package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// words are how a protocol says no before it has begun, each with CRLF: busy
// for want of room here, host because one address has too much of it.
type words struct{ busy, host string }

// protocols are the words by the names of --protocol.
var protocols = map[string]words{
	"smtp": smtpWords,
	"lmtp": smtpWords,
	// RFC 3206 section 4: the trouble is ours, and it passes.
	"pop3": {"-ERR [SYS/TEMP] too many connections, try again later\r\n",
		"-ERR [SYS/TEMP] too many connections from your address, try again later\r\n"},
	// RFC 9051 section 7.1.5, with the codes of section 7.1.
	"imap": {"* BYE [UNAVAILABLE] too many connections, try again later\r\n",
		"* BYE [LIMIT] too many connections from your address, try again later\r\n"},
	// RFC 5804 section 1.3.
	"sieve": {"BYE (TRYLATER) \"too many connections, try again later\"\r\n",
		"BYE (TRYLATER) \"too many connections from your address, try again later\"\r\n"},
	"none": {},
}

// RFC 5321 section 3.8, with the codes of RFC 3463.
var smtpWords = words{"421 4.3.2 too many connections, try again later\r\n",
	"421 4.7.0 too many connections from your address, try again later\r\n"}

// wordsFor finds the words: by name, or by the program's own name if that is
// empty.
func wordsFor(name string, argv []string) (words, error) {
	if name == "" {
		name = guess(argv)
	}
	w, ok := protocols[name]
	if !ok {
		return words{}, fmt.Errorf("protocol %q is not known; give smtp, lmtp, pop3, imap, sieve or none", name)
	}
	return w, nil
}

// guess is the protocol that a program's name tells: smtpd, qmail-pop3d, imapd.
func guess(argv []string) string {
	base := filepath.Base(argv[0])
	for _, p := range []string{"smtp", "lmtp", "pop3", "imap", "sieve"} {
		if strings.Contains(base, p) {
			return p
		}
	}
	if slices.Contains(argv, "--lmtp") {
		return "lmtp"
	}
	return "none"
}

// reason is why a connection gets no program.
type reason int

const (
	reasonTotal reason = iota // --max
	reasonHost                // --max-per-host
	reasonStart               // the program could not be started
	reasonProxy               // no PROXY header from one who has to send it
	reasons
)

// reasonNames are the reasons in the log and in the metrics.
var reasonNames = [reasons]string{"total", "host", "start", "proxy"}

// sayNo tells the peer, the log and the metrics.
func (s *server) sayNo(fd int, p peer, why reason) {
	s.count.add(&s.count.refused[why])
	if why != reasonStart {
		s.quiet.event(s.log, "refused", "peer", p, "reason", reasonNames[why], "sessions", s.sessions())
	}
	text := s.words.busy
	if why == reasonHost {
		text = s.words.host
	}
	sayLast(fd, text)
}

// sayLast writes the last words of a connection if the socket takes them at
// once. What the peer has sent meanwhile is thrown away, since closing a socket
// with unread bytes resets it and takes our words with it.
func sayLast(fd int, text string) {
	if text != "" {
		unix.SendmsgN(fd, []byte(text), nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	}
	unix.Shutdown(fd, unix.SHUT_WR)
	var drop [4096]byte
	unix.Recvfrom(fd, drop[:], unix.MSG_DONTWAIT)
}
