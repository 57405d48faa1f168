package server

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"rohrpost/protocol/message"
)

// judged is a message of the judge: REFERENCES done as RFC 5256 section 3 says it,
// word by word, with no regard to how long that takes.
type judged struct {
	number   int // 0 is a dummy
	mail     mail
	parent   *judged
	children []*judged
}

func (j *judged) setParent(p *judged) {
	if j.parent != nil {
		j.parent.children = slices.DeleteFunc(j.parent.children, func(c *judged) bool { return c == j })
	}
	if j.parent = p; p != nil {
		p.children = append(p.children, j)
	}
}

func (j *judged) isBelow(a *judged) bool {
	return j == a || j.parent != nil && j.parent.isBelow(a)
}

func judgedIDs(value string) (ids []string) {
	message.MessageIDs([]byte(value), func(id []byte) bool {
		ids = append(ids, string(id))
		return true
	})
	return ids
}

// judge is the THREAD response without its beginning.
func judge(mails []mail) string {
	root := &judged{}
	for _, j := range judgeLinks(mails) { // step 2
		if j.parent == nil {
			j.setParent(root)
		}
	}
	for _, j := range slices.Clone(root.children) { // step 3
		j.prune(root)
	}
	root.sort() // step 4
	root.mergeSubjects()
	root.sort() // step 6
	var b strings.Builder
	for _, j := range root.children {
		if b.Len() == 0 {
			b.WriteByte(' ')
		}
		j.write(&b)
	}
	return b.String()
}

// judgeLinks is step 1, and returns all messages with all dummies.
func judgeLinks(mails []mail) (all []*judged) {
	byID := map[string]*judged{}
	for i, m := range mails {
		j := &judged{number: i + 1, mail: m}
		all = append(all, j)
		if ids := judgedIDs(m.id); len(ids) > 0 && byID[ids[0]] == nil {
			byID[ids[0]] = j
		}
	}
	for i, m := range mails {
		refs := judgedIDs(m.references)
		if ids := judgedIDs(m.reply); len(refs) == 0 && len(ids) > 0 {
			refs = ids[:1]
		}
		var last *judged
		for _, id := range refs {
			if byID[id] == nil {
				byID[id] = &judged{}
				all = append(all, byID[id])
			}
			ref := byID[id]
			if last != nil && ref.parent == nil && !last.isBelow(ref) {
				ref.setParent(last)
			}
			last = ref
		}
		all[i].setParent(nil)
		if last != nil && !last.isBelow(all[i]) {
			all[i].setParent(last)
		}
	}
	return all
}

func (j *judged) prune(root *judged) {
	for _, c := range slices.Clone(j.children) {
		c.prune(root)
	}
	if j.number > 0 || j.parent == root && len(j.children) > 1 {
		return
	}
	for _, c := range slices.Clone(j.children) {
		c.setParent(j.parent)
	}
	j.setParent(nil)
}

// first is the message that a dummy is sorted by, and has its subject from.
func (j *judged) first() *judged {
	if j.number == 0 {
		return j.children[0]
	}
	return j
}

func (j *judged) sort() {
	for _, c := range j.children {
		c.sort()
	}
	slices.SortFunc(j.children, func(a, b *judged) int {
		a, b = a.first(), b.first()
		return cmp.Or(cmp.Compare(a.mail.date, b.mail.date), cmp.Compare(a.number, b.number))
	})
}

func (j *judged) subject() (base string, reply bool) {
	b, reply := message.AppendBaseSubject(nil, []byte(j.first().mail.subject), nil)
	return strings.ToUpper(string(b)), reply
}

// mergeSubjects is step 5.
func (j *judged) mergeSubjects() {
	table := map[string]*judged{}
	for _, c := range j.children {
		base, reply := c.subject()
		have := table[base]
		if base == "" {
			continue
		}
		if have == nil {
			table[base] = c
			continue
		}
		if _, haveReply := have.subject(); have.number > 0 && (c.number == 0 || haveReply && !reply) {
			table[base] = c
		}
	}
	for _, c := range slices.Clone(j.children) {
		base, reply := c.subject()
		have := table[base]
		if have == nil || have == c {
			continue
		}
		_, haveReply := have.subject()
		switch {
		case c.number == 0 && have.number == 0:
			for _, g := range slices.Clone(c.children) {
				g.setParent(have)
			}
			c.setParent(nil)
		case have.number == 0, reply && !haveReply:
			c.setParent(have)
		default:
			dummy := &judged{}
			dummy.setParent(j)
			have.setParent(dummy)
			c.setParent(dummy)
			table[base] = dummy
		}
	}
}

func (j *judged) write(b *strings.Builder) {
	b.WriteByte('(')
	for j.number > 0 {
		fmt.Fprint(b, j.number)
		if len(j.children) > 0 {
			b.WriteByte(' ')
		}
		if len(j.children) != 1 {
			break
		}
		j = j.children[0]
	}
	for _, c := range j.children {
		c.write(b)
	}
	b.WriteByte(')')
}
