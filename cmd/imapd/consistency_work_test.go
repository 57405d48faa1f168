package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// steps are what a session does, each as often as it is listed.
var steps = []func(c *client){
	(*client).noop, (*client).noop, (*client).noop,
	(*client).fetchNumbers, (*client).fetchNumbers, (*client).fetchNumbers,
	(*client).fetchWhole, (*client).fetchWhole,
	(*client).storeNumbers, (*client).storeNumbers, (*client).storeNumbers,
	(*client).storeUIDs, (*client).storeUIDs,
	(*client).storeUnchanged,
	(*client).deleteSome, (*client).deleteSome,
	(*client).expunge,
	(*client).search, (*client).search,
	(*client).copySome,
	(*client).moveSome, (*client).moveSome,
	(*client).append,
	(*client).status,
	(*client).idle,
	(*client).reselect,
	(*client).another,
	(*client).again,
}

// work does n steps.
func (c *client) work(n int) {
	c.begin()
	c.choose(boxes[c.rng.IntN(len(boxes))])
	for i := 0; i < n && !c.dead && !c.w.stop.Load(); i++ {
		steps[c.rng.IntN(len(steps))](c)
		c.fill()
	}
}

func (c *client) noop() { c.must("NOOP") }

// numbers is a set of sequence numbers, and the UIDs that they have.
func (c *client) numbers() (set string, uids []uint32) {
	if len(c.uids) == 0 {
		return "", nil
	}
	var words []string
	for range 1 + c.rng.IntN(5) {
		i := c.rng.IntN(len(c.uids))
		words = append(words, fmt.Sprint(i+1))
		uids = append(uids, c.uids[i])
	}
	return strings.Join(words, ","), uids
}

func (c *client) someUIDs() (set string, uids []uint32) {
	_, uids = c.numbers()
	uids = slices.DeleteFunc(uids, func(u uint32) bool { return u == 0 })
	slices.Sort(uids)
	uids = slices.Compact(uids)
	var words []string
	for _, u := range uids {
		words = append(words, fmt.Sprint(u))
	}
	return strings.Join(words, ","), uids
}

// fetchNumbers is the question of all questions: is number n still the same?
func (c *client) fetchNumbers() {
	if set, _ := c.numbers(); set != "" {
		c.ask("FETCH " + set + " (UID BODY.PEEK[HEADER.FIELDS (X-Id)])")
	}
}

func (c *client) fetchWhole() {
	if set, _ := c.someUIDs(); set != "" {
		c.ask("UID FETCH " + set + " (FLAGS BODY[] RFC822.SIZE ENVELOPE)")
	}
}

func (c *client) aFlag() string {
	return []string{`\Seen`, `\Flagged`, `\Answered`, `$Forwarded`, "work", "Junk"}[c.rng.IntN(6)]
}

func (c *client) aMode() string {
	return []string{"+FLAGS", "-FLAGS", "+FLAGS.SILENT", "-FLAGS.SILENT"}[c.rng.IntN(4)]
}

func (c *client) storeNumbers() {
	if set, _ := c.numbers(); set != "" {
		c.store("STORE", set, c.aMode(), c.aFlag())
	}
}

func (c *client) storeUIDs() {
	if set, _ := c.someUIDs(); set != "" {
		c.store("UID STORE", set, c.aMode(), c.aFlag())
	}
}

// store changes flags. What the client did silently it knows itself, if nobody has
// told otherwise.
func (c *client) store(verb, set, mode, flag string) {
	r := c.ask(fmt.Sprintf("%s %s %s (%s)", verb, set, mode, flag))
	if strings.HasSuffix(mode, ".SILENT") {
		// The model's flags are those told: ask.
		c.ask(fmt.Sprintf("%s %s (UID FLAGS)", strings.Replace(verb, "STORE", "FETCH", 1), set))
	}
	if r.Name == "NO" && r.Code != "EXPUNGEISSUED" && r.Code != "LIMIT" && r.Code != "INUSE" {
		c.fail("%s", r.Raw)
	}
}

func (c *client) storeUnchanged() {
	set, _ := c.someUIDs()
	if set == "" || c.kind == plainClient || c.kind == rev2Client {
		return
	}
	c.ask(fmt.Sprintf("UID STORE %s (UNCHANGEDSINCE %d) +FLAGS (%s)", set, c.modseq, c.aFlag()))
}

// deleteSome flags messages \Deleted that may be.
func (c *client) deleteSome() {
	_, uids := c.someUIDs()
	for _, uid := range uids {
		id := c.w.id(place{c.box, c.validity, uid})
		if !mortal(id) || c.rng.IntN(2) == 0 {
			continue
		}
		c.w.trash(id)
		c.ask(fmt.Sprintf("UID STORE %d +FLAGS (\\Deleted)", uid))
	}
}

func (c *client) expunge() {
	switch set, _ := c.someUIDs(); {
	case c.rng.IntN(4) == 0:
		c.must("EXPUNGE")
	case set != "":
		c.must("UID EXPUNGE " + set)
	}
}

// search wants numbers that exist, and UIDs that ascend.
func (c *client) search() {
	if c.kind == rev2Client {
		c.must("SEARCH RETURN (COUNT) ALL")
		return
	}
	c.searched = nil
	c.must("SEARCH SUBJECT message")
	if len(c.searched) > len(c.uids) {
		c.fail("SEARCH found %d of %d", len(c.searched), len(c.uids))
	}
	for _, n := range c.searched {
		if n == 0 || int(n) > len(c.uids) {
			c.fail("SEARCH found number %d of %d", n, len(c.uids))
		}
	}
	c.searched = nil
	c.must("UID SEARCH ALL")
	if !slices.IsSorted(c.searched) {
		c.fail("UIDs do not ascend: %v", c.searched)
	}
}

func (c *client) other() string { return boxes[1-slices.Index(boxes, c.box)] }

func (c *client) copySome() { c.carry("COPY") }
func (c *client) moveSome() { c.carry("MOVE") }

// carry copies or moves messages whose ids are known, and holds COPYUID to them.
func (c *client) carry(verb string) {
	_, uids := c.someUIDs()
	uids = slices.DeleteFunc(uids, func(u uint32) bool { return c.w.id(place{c.box, c.validity, u}) == "" })
	if len(uids) == 0 || verb == "COPY" && c.rng.IntN(3) > 0 {
		return
	}
	var words []string
	for _, u := range uids {
		words = append(words, fmt.Sprint(u))
		c.w.transfer(c.w.id(place{c.box, c.validity, u}))
	}
	to := c.other()
	c.copies = nil
	r := c.ask(fmt.Sprintf("UID %s %s %s", verb, strings.Join(words, ","), to))
	if r.Name != "OK" || c.dead {
		return
	}
	if c.copies != nil {
		c.heedCopies(to)
	}
	for _, u := range uids {
		id := c.w.id(place{c.box, c.validity, u})
		if verb == "MOVE" && slices.Contains(c.uids, u) && c.w.isIn(c.box, id) {
			c.fail("UID %d (%s) was moved, and is still there", u, id)
		}
	}
}

func (c *client) heedCopies(to string) {
	validity, _ := c.copies[0].Number()
	from, err1 := uidsOf(c.copies[1].Text)
	there, err2 := uidsOf(c.copies[2].Text)
	if err1 != nil || err2 != nil || len(from) != len(there) {
		c.fail("odd COPYUID %v", c.copies)
		return
	}
	for i := range from {
		id := c.w.id(place{c.box, c.validity, from[i]})
		if err := c.w.see(place{to, uint32(validity), there[i]}, id); err != nil {
			c.fail("COPYUID: %v", err)
		}
	}
}

// append appends one message, or two at once (RFC 3502).
func (c *client) append() {
	command := "APPEND " + boxes[c.rng.IntN(2)]
	box := strings.Fields(command)[1]
	var ids, literals []string
	for i := range 1 + c.rng.IntN(2) {
		id := fmt.Sprintf("%s-%d-%d", c.name, c.tags, i)
		text := strings.ReplaceAll(textOf(id), "\n", "\r\n")
		ids = append(ids, id)
		literals = append(literals, text)
	}
	command += fmt.Sprintf(" (\\Seen work) {%d+}", len(literals[0]))
	if len(literals) == 2 {
		literals[0] += fmt.Sprintf(" {%d+}", len(literals[1]))
	}
	c.copies = nil
	r := c.ask(command, literals...)
	if r.Name != "OK" || len(c.copies) != 2 {
		c.fail("APPEND: %s", r.Raw)
		return
	}
	validity, _ := c.copies[0].Number()
	uids, err := uidsOf(c.copies[1].Text)
	if err != nil || len(uids) != len(ids) {
		c.fail("odd APPENDUID %v", c.copies)
		return
	}
	for i, id := range ids {
		c.w.ack(id)
		if err := c.w.see(place{box, uint32(validity), uids[i]}, id); err != nil {
			c.fail("APPENDUID: %v", err)
		}
	}
}

func (c *client) status() {
	c.must("STATUS " + boxes[c.rng.IntN(2)] + " (MESSAGES UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ)")
}

func (c *client) idle() { c.must("IDLE") }

func (c *client) reselect() { c.choose(c.box) }

func (c *client) another() {
	if c.rng.IntN(2) == 0 {
		c.remember()
		c.must("UNSELECT")
	}
	c.choose(c.other())
}

// again is another session with the same memory.
func (c *client) again() {
	c.remember()
	box := c.box
	c.end()
	c.begin()
	c.choose(box)
}

// converge gives a session the time to hear of all that happened while others
// worked: the state of a directory counts from the next tick of the file system's
// clock on.
func (c *client) converge(truth *client) {
	for range 100 {
		if c.dead {
			return
		}
		c.must("NOOP")
		c.fill()
		if slices.Equal(c.uids, truth.uids) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	c.same(truth)
}

// same compares what a session was told with what a fresh one sees.
func (c *client) same(truth *client) {
	if c.dead || truth.dead {
		return
	}
	if !slices.Equal(c.uids, truth.uids) {
		c.fail("UIDs are %v, of %s %v", c.uids, truth.name, truth.uids)
		return
	}
	if len(c.mail) != len(c.uids) {
		c.fail("%d messages and %d UIDs; %v", len(c.mail), len(c.uids), slices.Sorted(maps.Keys(c.mail)))
	}
	for _, uid := range c.uids {
		if a, b := c.mail[uid].flags, truth.mail[uid].flags; a != b {
			c.fail("flags of UID %d are %q as told, and %q", uid, a, b)
		}
	}
}
