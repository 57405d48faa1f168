package main

import "strings"

// maxAddress is the most of an address that we write down, in bytes: a header
// line of ours keeps to the 998 of RFC 5322 section 2.1.1.
const maxAddress = 900

// envelope is what the caller says about the message besides its bytes. All of
// it may be a stranger's text: lines cleans it for the header.
type envelope struct {
	sender    part
	recipient part
	ext       part
	// The caller's own lines (qmail's RPLINE and DTLINE), without line end.
	returnPath, deliveredTo string
}

// part is one piece of the envelope and who said it. An empty by means that
// nobody did.
type part struct{ value, by string }

func (p part) known() bool { return p.by != "" }

// lookup is os.LookupEnv, or a test's.
type lookup func(name string) (value string, ok bool)

// source gives one part of the envelope, if it is there to give it.
type source struct {
	name string
	get  func(env lookup) (string, bool)
}

// The table of the manual (ENVIRONMENT): for each part the first source that is
// set wins. Flags come before all of them.
var (
	senderSources = []source{
		variable("SENDER"), // qmail, Postfix, OpenSMTPD, Exim
	}
	recipientSources = []source{
		variable("RECIPIENT"), // qmail, Postfix, OpenSMTPD, Exim
		{"LOCAL_PART", eximRecipient},
		{"LOCAL@HOST", joined("LOCAL", "HOST")},     // qmail
		{"LOCAL@DOMAIN", joined("LOCAL", "DOMAIN")}, // Postfix, OpenSMTPD
		variable("ORIGINAL_RECIPIENT"),              // Postfix, before aliases
	}
	extSources = []source{
		// What the name of a .qmail-…-default file left open is the part that
		// its owner wants sorted, the rest of EXT has chosen the file.
		variable("DEFAULT"),
		variable("EXT"),       // qmail
		variable("EXTENSION"), // Postfix, OpenSMTPD
		{"LOCAL_PART_SUFFIX", eximSuffix},
	}
)

// envelopeOf reads the envelope: the flags first, then the environment.
func envelopeOf(o options, env lookup) envelope {
	e := envelope{
		sender:    first(senderSources, env),
		recipient: first(recipientSources, env),
		ext:       first(extSources, env),
	}
	if v, ok := env("RPLINE"); ok {
		e.returnPath = ownLine(v, "Return-Path:")
	}
	if v, ok := env("DTLINE"); ok {
		e.deliveredTo = ownLine(v, "Delivered-To:")
	}
	if o.senderSet {
		e.sender, e.returnPath = part{bare(o.sender), "-f"}, ""
	}
	if o.recipientSet {
		e.recipient, e.deliveredTo = part{bare(o.recipient), "-a"}, ""
	}
	if !e.ext.known() {
		e.ext = extOf(e.recipient, env)
	}
	return e
}

func first(sources []source, env lookup) part {
	for _, s := range sources {
		if v, ok := s.get(env); ok {
			return part{v, s.name}
		}
	}
	return part{}
}

func variable(name string) source {
	return source{name, func(env lookup) (string, bool) { return env(name) }}
}

// joined is local@domain of two variables that must both say something.
func joined(local, domain string) func(lookup) (string, bool) {
	return func(env lookup) (string, bool) {
		l, _ := env(local)
		d, _ := env(domain)
		return l + "@" + d, l != "" && d != ""
	}
}

func eximRecipient(env lookup) (string, bool) {
	local, _ := env("LOCAL_PART")
	suffix, _ := env("LOCAL_PART_SUFFIX")
	domain, _ := env("DOMAIN")
	return local + suffix + "@" + domain, local != "" && domain != ""
}

// eximSuffix is LOCAL_PART_SUFFIX without the delimiter that it begins with.
func eximSuffix(env lookup) (string, bool) {
	s, ok := env("LOCAL_PART_SUFFIX")
	return strings.TrimLeft(s, "+-"), ok
}

// extOf finds the extension in the recipient's own local part, for callers that
// say no more than the address (fetchmail, getmail): what follows the first
// plus, or the name of the user and a minus.
func extOf(recipient part, env lookup) part {
	local := recipient.value
	if i := strings.LastIndexByte(local, '@'); i >= 0 {
		local = local[:i]
	}
	if _, ext, ok := strings.Cut(local, "+"); ok {
		return part{ext, recipient.by}
	}
	for _, name := range []string{"USER", "LOGNAME"} {
		user, _ := env(name)
		if n := len(user); n > 0 && len(local) > n && local[n] == '-' && strings.EqualFold(local[:n], user) {
			return part{local[n+1:], recipient.by + " after " + name}
		}
	}
	return part{}
}

// ownLine is a whole header line that the caller has ready, without its line
// end, or "" if it is not one line of that name.
func ownLine(s, name string) string {
	s = strings.TrimSuffix(strings.TrimSuffix(s, "\n"), "\r")
	if len(s) < len(name) || !strings.EqualFold(s[:len(name)], name) || len(s) > maxAddress+len(name)+4 || s != clean(s) {
		return ""
	}
	return s
}

// bare takes the angle brackets off an address: fetchmail's %F is <> for reports.
func bare(s string) string {
	if len(s) >= 2 && s[0] == '<' && s[len(s)-1] == '>' {
		return s[1 : len(s)-1]
	}
	return s
}

// clean makes a stranger's text fit for one header line and one log line: every
// control byte becomes an underscore, as in qmail, and what is too long is cut.
func clean(s string) string {
	b := []byte(s[:min(len(s), maxAddress)])
	for i, c := range b {
		if c < ' ' || c == 0x7f {
			b[i] = '_'
		}
	}
	return string(b)
}

// lines are the header lines we put in front of the message, without line ends:
// Return-Path, then Delivered-To, as far as we know what to write in them.
func (e envelope) lines() (returnPath, deliveredTo string) {
	returnPath, deliveredTo = e.returnPath, e.deliveredTo
	if returnPath == "" && e.sender.known() {
		returnPath = "Return-Path: <" + clean(e.sender.value) + ">"
	}
	if deliveredTo == "" && e.recipient.known() && e.recipient.value != "" {
		deliveredTo = "Delivered-To: " + clean(e.recipient.value)
	}
	return returnPath, deliveredTo
}
