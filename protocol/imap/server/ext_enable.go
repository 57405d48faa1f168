package server

import (
	"slices"
	"strings"

	"rohrpost/protocol/imap"
)

// enabled is what the client has switched on, by ENABLE or by the commands that
// imply it.
type enabled struct {
	rev2      bool
	utf8      bool // UTF8=ACCEPT (RFC 6855), and by IMAP4rev2
	condstore bool // RFC 7162 section 3.1
	qresync   bool // RFC 7162 section 3.2
}

// enable is ENABLE (RFC 5161).
func (s *Session) enable(imap.Command) (reply, error) {
	list, err := imap.ParseEnable(s.d)
	if err != nil {
		return reply{}, err
	}
	var now []string
	e := &s.enabled
	condstore := e.condstore
	for _, f := range []struct {
		name string
		on   *bool
	}{{"IMAP4rev2", &e.rev2}, {"UTF8=ACCEPT", &e.utf8}, {"CONDSTORE", &e.condstore}, {"QRESYNC", &e.qresync}} {
		if slices.Contains(list, strings.ToUpper(f.name)) && !*f.on {
			*f.on = true
			now = append(now, f.name)
		}
	}
	s.w.Words("ENABLED", now...)
	if e.imply(); e.condstore {
		e.condstore = condstore
		s.enableCondstore()
	}
	s.d.UTF8, s.w.UTF8 = e.utf8, e.utf8
	return ok("done"), nil
}

// enableCondstore is what a CONDSTORE enabling command does. RFC 7162 section 3.1: the
// first one "with a mailbox selected MUST cause the server to return HIGHESTMODSEQ".
func (s *Session) enableCondstore() {
	if s.enabled.condstore {
		return
	}
	s.enabled.condstore = true
	if s.box != nil {
		s.say("", okCode(imap.HighestModSeqCode(int64(s.box.HighestModSeq())), "highest mod-sequence"))
	}
}

// imply switches on what comes with others. RFC 7162 section 3.2.3: QRESYNC has
// CONDSTORE; RFC 9051 appendix E: IMAP4rev2 has UTF-8.
func (e *enabled) imply() {
	e.condstore = e.condstore || e.qresync
	e.utf8 = e.utf8 || e.rev2
}
