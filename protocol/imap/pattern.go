package imap

import "strings"

// Pattern is what LIST and LSUB look for (RFC 9051 section 6.3.9): * matches any
// characters, % any but the hierarchy separator.
type Pattern struct {
	prefix string // up to the first wildcard
	text   []byte // from there, no two wildcards in a row
	sep    byte
	live   []bool
}

// NewPattern returns the pattern that reference and mailbox name of a LIST make
// together, in UTF-8; sep is the hierarchy separator. A Pattern is not for use by
// two goroutines at once.
func NewPattern(reference, mailbox string, sep byte) *Pattern {
	all := reference + mailbox
	if n := len(Inbox); len(all) >= n && equalFold(all[:n], Inbox) && (len(all) == n || !inLevel(all[n], sep)) {
		all = Inbox + all[n:]
	}
	p := &Pattern{sep: sep, prefix: all}
	if i := strings.IndexAny(all, "*%"); i >= 0 {
		p.prefix = all[:i]
		for ; i < len(all); i++ {
			p.add(all[i])
		}
	}
	p.live = make([]bool, len(p.text)+1)
	return p
}

// inLevel reports whether c goes on with the level of the hierarchy before it.
func inLevel(c, sep byte) bool { return c != sep && !isWildcard(c) }

func isWildcard(c byte) bool { return c == '*' || c == '%' }

// add appends c. Of wildcards in a row the widest does all that they do together.
func (p *Pattern) add(c byte) {
	n := len(p.text)
	if n == 0 || !isWildcard(c) || !isWildcard(p.text[n-1]) {
		p.text = append(p.text, c)
	} else if c == '*' {
		p.text[n-1] = c
	}
}

// Match reports whether name, in UTF-8, matches. It takes at most as many steps as
// the length of name times that of the pattern, whatever wildcards there are, and
// no memory.
func (p *Pattern) Match(name string) bool {
	if !strings.HasPrefix(name, p.prefix) {
		return false
	}
	clear(p.live)
	p.mark(0)
	for i := len(p.prefix); i < len(name); i++ {
		if !p.step(name[i]) {
			return false
		}
	}
	return p.live[len(p.text)]
}

// mark says that the name so far matches the first i bytes of the pattern. A
// wildcard also matches nothing.
func (p *Pattern) mark(i int) {
	p.live[i] = true
	if i < len(p.text) && isWildcard(p.text[i]) {
		p.live[i+1] = true
	}
}

// step goes on by one byte of the name, from the end of the pattern, so that each
// place is read before it is written. It reports whether any way is left.
func (p *Pattern) step(c byte) (alive bool) {
	p.live[len(p.text)] = false
	for i := len(p.text) - 1; i >= 0; i-- {
		if !p.live[i] {
			continue
		}
		p.live[i] = false
		switch w := p.text[i]; {
		case w == '*', w == '%' && c != p.sep:
			p.mark(i)
		case !isWildcard(w) && w == c:
			p.mark(i + 1)
		default:
			continue
		}
		alive = true
	}
	return alive
}
