package route

import (
	"bytes"
	"fmt"
	"strings"
	"sync"

	"rohrpost/cmd/internal/control"
	"rohrpost/cmd/internal/users"
	"rohrpost/protocol/address"
)

// list is a control file of domains. It is parsed once for each state of the
// file.
type list struct {
	file     control.File
	prepends bool // lines are key:prepend as in virtualdomains

	mu     sync.Mutex
	from   control.State
	loaded bool
	rules  map[string]rule
}

// rule is one line of a list.
type rule struct {
	line    int
	colon   bool
	prepend string
}

// get is the content as it is now. exists tells an empty file, which lists
// nothing, from an absent one, which means the default.
func (l *list) get() (rules map[string]rule, exists bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, settled, err := l.file.State()
	if err != nil {
		return nil, false, err
	}
	if l.loaded && now == l.from {
		return l.rules, now != control.State{}, nil
	}
	rules = map[string]rule{}
	exists, err = l.file.Each(func(r control.Row) (bool, error) { return false, l.add(rules, r) })
	if err != nil {
		return nil, false, err
	}
	l.rules, l.from, l.loaded = rules, now, settled
	return rules, exists, nil
}

// add parses one line. The first of two lines with the same key counts.
func (l *list) add(rules map[string]rule, r control.Row) error {
	text := string(bytes.TrimSpace(r.Text))
	if text == "" || text[0] == '#' {
		return nil
	}
	at := control.Line{File: l.file.Path, No: r.No, Text: text}
	key, prepend, colon := strings.Cut(text, ":")
	key, err := l.key(at, key, colon)
	if err != nil {
		return err
	}
	if colon && !l.prepends {
		return at.Errorf("write the domain alone", "%q has a colon, which means something in virtualdomains only", text)
	}
	if prepend != "" && users.CheckName(prepend) != nil {
		return at.Errorf("give a user's name", "%q cannot be prepended", prepend)
	}
	if _, twice := rules[key]; !twice {
		rules[key] = rule{line: r.No, colon: colon, prepend: prepend}
	}
	return nil
}

// key normalises what a line begins with: domain, .domain, or in virtualdomains
// also address: and nothing before the colon.
func (l *list) key(at control.Line, key string, colon bool) (string, error) {
	if key == "" && colon && l.prepends {
		return "", nil
	}
	local, domain, isAddress := strings.Cut(key, "@")
	if !isAddress {
		local, domain = "", key
	}
	if isAddress && (!colon || !l.prepends || local == "") {
		return "", at.Errorf("write one domain a line; single addresses belong into aliases", "%q is an address, not a domain", at.Text)
	}
	below := ""
	if !isAddress && strings.HasPrefix(domain, ".") {
		below, domain = ".", domain[1:]
	}
	domain, err := address.ParseDomain(domain, true)
	if err != nil {
		return "", at.Errorf("write one domain a line", "%q is not a domain", at.Text)
	}
	if isAddress {
		return users.Fold(local) + "@" + domain, nil
	}
	return below + domain, nil
}

// at is a line of Why.
func (l *list) at(r rule, text string) string {
	return fmt.Sprintf("%s:%d: %s", l.file.Path, r.line, text)
}

// host is the name of this host. It is read once for each state of the file me.
type host struct {
	etc  control.Dir
	file control.File

	mu   sync.Mutex
	from control.State
	name string // empty if it has to be read
}

// get is the name as it is now.
func (h *host) get() (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now, settled, err := h.file.State()
	if err != nil {
		return "", err
	}
	if h.name != "" && now == h.from {
		return h.name, nil
	}
	name, err := h.etc.Me()
	h.from, h.name = now, ""
	if settled {
		h.name = name
	}
	return name, err
}
