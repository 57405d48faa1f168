package main

import (
	"strings"

	"rohrpost/cmd/internal/control"
	"rohrpost/protocol/address"
)

// patterns is a set of addresses, and of domains written as @domain.
type patterns map[string]bool

// match reports whether the set has the address or its domain. Local parts are
// compared without regard to case, as everywhere here.
func (p patterns) match(a address.Address) bool {
	return p[strings.ToLower(a.String())] || p["@"+a.Domain]
}

// add takes one entry from a line of a table.
func (p patterns) add(l control.Line, text string) error {
	if domain, ok := strings.CutPrefix(text, "@"); ok {
		d, err := address.ParseDomain(domain, true)
		if err != nil {
			return l.Errorf("write @ and a domain name", "%q: %v", text, err)
		}
		p["@"+d] = true
		return nil
	}
	a, err := address.Parse(text, true)
	if err != nil {
		return l.Errorf("write an address or @domain", "%q: %v", text, err)
	}
	p[strings.ToLower(a.String())] = true
	return nil
}

// loadBadSenders reads badmailfrom: an address or @domain a line.
func loadBadSenders(etc control.Dir) (patterns, error) {
	p := patterns{}
	lines, _, err := etc.Lines("badmailfrom")
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		if err := p.add(l, l.Text); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// loadSenders reads senders: "login: address, @domain, …".
func loadSenders(etc control.Dir) (map[string]patterns, error) {
	logins := map[string]patterns{}
	lines, _, err := etc.Lines("senders")
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		login, list, ok := strings.Cut(l.Text, ":")
		if login = strings.TrimSpace(login); !ok || login == "" {
			return nil, l.Errorf("write login: address, @domain", "no login and colon at the start")
		}
		p := logins[strings.ToLower(login)]
		if p == nil {
			p = patterns{}
			logins[strings.ToLower(login)] = p
		}
		for _, text := range strings.Split(list, ",") {
			if text = strings.TrimSpace(text); text == "" {
				continue
			}
			if err := p.add(l, text); err != nil {
				return nil, err
			}
		}
	}
	return logins, nil
}
