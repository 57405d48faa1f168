package control

import (
	"strconv"
	"strings"
	"time"
)

// Expire is one line of the file expire: how long messages stay in a folder.
type Expire struct {
	Line
	Folder string // UTF-8 with dots between its levels; INBOX for the Maildir itself
	Age    time.Duration
}

// Expiry is the file expire: a folder and an age in days (30d), weeks (4w) or
// hours (12h) on each line. Folder names may contain blanks.
func (d Dir) Expiry() ([]Expire, error) {
	lines, _, err := d.Lines("expire")
	if err != nil {
		return nil, err
	}
	var rules []Expire
	for _, l := range lines {
		i := strings.LastIndexAny(l.Text, " \t")
		if i < 0 {
			return nil, l.Errorf("write a folder and an age, as in: Trash 30d", "%q is no rule", l.Text)
		}
		age, ok := parseAge(l.Text[i+1:])
		if !ok {
			return nil, l.Errorf("write it as 30d, 4w or 12h", "%q is not an age", l.Text[i+1:])
		}
		rules = append(rules, Expire{Line: l, Folder: strings.TrimSpace(l.Text[:i]), Age: age})
	}
	return rules, nil
}

// parseAge reads an age of at least an hour: zero would empty a folder.
func parseAge(s string) (time.Duration, bool) {
	units := map[byte]time.Duration{'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	if s == "" {
		return 0, false
	}
	n, err := strconv.ParseUint(s[:len(s)-1], 10, 16)
	unit, ok := units[s[len(s)-1]]
	return time.Duration(n) * unit, err == nil && ok && n > 0 && n < 10_000
}
