package server

import (
	"strings"

	"rohrpost/protocol/smtp"
)

// extension is a service extension: a line of the answer to EHLO, and what it
// adds to MAIL and RCPT. A new one is a file and a line in the list.
type extension struct {
	// offer is the line for EHLO; false: not in this session, not now.
	offer func(s *Session) (line string, ok bool)
	mail  []param[Mail]
	rcpt  []param[Rcpt]
}

// param is a parameter of MAIL or RCPT.
type param[T any] struct {
	name string
	// set takes the value into the command; a Reply that is not zero refuses
	// the command as a whole.
	set func(s *Session, to *T, value string) smtp.Reply
}

var extensions = []extension{
	pipelining,
	size,
	eightBitMIME,
	binaryMIME,
	chunking,
	enhancedStatusCodes,
	dsn,
	smtpUTF8,
	authentication,
	limits,
	help,
	deliveryID,
}

func mailParams(x extension) []param[Mail] { return x.mail }
func rcptParams(x extension) []param[Rcpt] { return x.rcpt }

// always offers an extension that has no conditions.
func always(keyword string) func(*Session) (string, bool) {
	return func(*Session) (string, bool) { return keyword, true }
}

// maxParams bounds the parameters of one command; no extension list that anyone
// has published comes near it.
const maxParams = 20

// parseParams reads the parameters behind a path into the command. Each may come
// once, and all must be of extensions that are on offer (RFC 5321 section
// 4.1.1.11).
func parseParams[T any](s *Session, text string, to *T, of func(extension) []param[T]) smtp.Reply {
	words := strings.Fields(text)
	if len(words) > maxParams {
		return replySyntax
	}
	for i, word := range words {
		name, value, _ := strings.Cut(word, "=")
		if repeated(words[:i], name) {
			return replySyntax
		}
		p, ok := findParam(s, name, of)
		if !ok {
			return replyParam
		}
		if r := p.set(s, to, value); r.Code != 0 {
			return r
		}
	}
	return smtp.Reply{}
}

func repeated(before []string, name string) bool {
	for _, word := range before {
		if earlier, _, _ := strings.Cut(word, "="); strings.EqualFold(earlier, name) {
			return true
		}
	}
	return false
}

// findParam finds a parameter among the extensions on offer. After HELO there
// are none.
func findParam[T any](s *Session, name string, of func(extension) []param[T]) (param[T], bool) {
	for _, x := range extensions {
		for _, p := range of(x) {
			if strings.EqualFold(p.name, name) {
				_, ok := x.offer(s)
				return p, ok && s.extended
			}
		}
	}
	return param[T]{}, false
}
