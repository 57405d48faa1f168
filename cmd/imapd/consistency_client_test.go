package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"rohrpost/cmd/internal/progtest"
	"rohrpost/protocol/imap/imaptest"
)

// kind is what a client enables.
type kind string

const (
	plainClient     kind = ""
	condstoreClient kind = "CONDSTORE"
	qresyncClient   kind = "QRESYNC"
	rev2Client      kind = "IMAP4rev2"
)

// client is a session and a model of what its server has told: which message has
// which number. Everything that is heard is held to the model.
type client struct {
	w    *world
	name string
	kind kind
	rng  *rand.Rand

	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *imaptest.Reader
	tags int
	said []string // the last lines of the conversation
	dead bool

	box       string // selected
	validity  uint32
	modseq    uint64            // up to which it knows all
	heard     uint64            // the highest MODSEQ of this command
	code      uint64            // HIGHESTMODSEQ of this command
	since     int64             // when it was selected
	uids      []uint32          // by sequence number - 1; 0 is not known yet
	mail      map[uint32]told   // by UID
	selecting bool              // the command is SELECT
	may       bool              // EXPUNGE may come
	floors    map[string]uint64 // what must not have fallen, as of the command
	copies    []imaptest.Value  // of COPYUID or APPENDUID
	memory    map[string]memory
	searched  []uint32
}

// told is what was told of a message.
type told struct {
	flags  string // sorted, without \Recent
	modseq uint64
}

// memory is what a client with QRESYNC keeps of a mailbox.
type memory struct {
	validity uint32
	modseq   uint64
	uids     []uint32
	mail     map[uint32]told
}

var clientNumber uint64

func newClient(w *world, name string, k kind) *client {
	clientNumber++
	return &client{w: w, name: name, kind: k, rng: w.rand(clientNumber), memory: map[string]memory{}}
}

// begin starts a session.
func (c *client) begin() {
	c.cmd = progtest.Command(c.w.t, []string{"HOME=" + c.w.home}, "imapd")
	in, err := c.cmd.StdinPipe()
	if err != nil {
		c.fail("%v", err)
		return
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		c.fail("%v", err)
		return
	}
	c.cmd.Stderr = &logOf{c: c}
	c.in, c.out, c.box = in, imaptest.NewReader(out), ""
	if err := c.cmd.Start(); err != nil {
		c.fail("%v", err)
		return
	}
	if r := c.read(); r.Name != "PREAUTH" {
		c.fail("greeting %q", r.Raw)
	}
	if c.kind != plainClient {
		c.must("ENABLE " + string(c.kind))
	}
}

// logOf puts what the program logs into the conversation.
type logOf struct{ c *client }

func (l *logOf) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "panic") {
		l.c.w.failf("%s: %s", l.c.name, p)
	}
	return len(p), nil
}

// end ends a session. I9: the program ends well.
func (c *client) end() {
	if c.dead {
		return
	}
	c.must("LOGOUT")
	c.in.Close()
	if _, err := c.out.Next(); err != io.EOF {
		c.fail("after LOGOUT: %v", err)
	}
	if err := c.cmd.Wait(); err != nil {
		c.fail("imapd: %v", err)
	}
}

// fail tells of a violation, with what led to it, and ends the session.
func (c *client) fail(format string, a ...any) {
	if c.dead {
		return
	}
	c.dead = true
	_, _, line, _ := runtime.Caller(1)
	c.w.failf("%s (%s, line %d): %s\n%s", c.name, c.kind, line, fmt.Sprintf(format, a...), strings.Join(c.said, "\n"))
	if c.cmd != nil && c.cmd.Process != nil {
		c.cmd.Process.Kill()
	}
}

func (c *client) note(line string) {
	if len(line) > 300 {
		line = line[:300] + "..."
	}
	c.said = append(c.said, line)
	if len(c.said) > 80 {
		c.said = slices.Delete(c.said, 0, 20)
	}
}

// read is the next response.
func (c *client) read() imaptest.Response {
	stop := time.AfterFunc(time.Minute, func() { c.cmd.Process.Kill() })
	r, err := c.out.Next()
	stop.Stop()
	if err != nil {
		c.fail("%v", err)
	}
	c.note("S: " + r.Raw)
	return r
}

// ask sends a command and hears all that is said up to its answer.
func (c *client) ask(command string, literals ...string) imaptest.Response {
	if c.dead {
		return imaptest.Response{}
	}
	c.w.commands.Add(1)
	begin := time.Now()
	defer func() {
		if d := time.Since(begin); d > 2*time.Second {
			c.w.t.Logf("SLOW %v %s %s", d, c.name, command)
		}
	}()
	c.tags++
	tag := fmt.Sprintf("%s.%d", c.name, c.tags)
	name, rest, _ := strings.Cut(command, " ")
	c.may = name != "FETCH" && name != "STORE" && name != "SEARCH"
	c.selecting = name == "SELECT"
	c.floors = map[string]uint64{}
	box := c.box
	if name == "SELECT" || name == "STATUS" {
		box = strings.Fields(rest)[0]
	}
	for _, what := range []string{"UIDNEXT", "HIGHESTMODSEQ"} {
		c.floors[what] = c.w.floor(box + " " + what)
	}
	c.send(tag + " " + command)
	for _, l := range literals {
		c.send(l)
	}
	for {
		r := c.read()
		if c.dead {
			return r
		}
		if r.Tag == "+" {
			if name == "IDLE" {
				c.send("DONE")
			}
			continue
		}
		c.hear(r)
		if r.Tag == tag {
			c.conclude()
			return r
		}
	}
}

// conclude is what a client knows when a command has been answered. RFC 7162 section 6:
// the highest MODSEQ it was told, or HIGHESTMODSEQ if it was told that.
func (c *client) conclude() {
	if c.modseq = max(c.modseq, c.heard); c.code != 0 {
		c.modseq = c.code
	}
	c.heard, c.code = 0, 0
}

func (c *client) send(line string) {
	c.note("C: " + line)
	if _, err := io.WriteString(c.in, line+"\r\n"); err != nil {
		c.fail("%v", err)
	}
}

// must is ask for a command that has to succeed.
func (c *client) must(command string, literals ...string) {
	if r := c.ask(command, literals...); r.Name != "OK" {
		c.fail("%s: %s", command, r.Raw)
	}
}

// hear holds a response to the model.
func (c *client) hear(r imaptest.Response) {
	switch {
	case r.Status():
		c.hearStatus(r)
	case r.Name == "EXISTS":
		if int(r.Number) < len(c.uids) {
			c.fail("EXISTS %d, and there are %d", r.Number, len(c.uids))
			return
		}
		c.uids = append(c.uids, make([]uint32, int(r.Number)-len(c.uids))...)
	case r.Name == "EXPUNGE":
		c.hearExpunge(r)
	case r.Name == "VANISHED":
		c.hearVanished(r)
	case r.Name == "FETCH":
		c.hearFetch(r)
	case r.Name == "STATUS":
		c.hearNumbers(r.Args[0].Text, r.Args[1].List)
	case r.Name == "SEARCH":
		for _, v := range r.Args {
			n, _ := v.Number()
			c.searched = append(c.searched, uint32(n))
		}
	}
}

func (c *client) hearStatus(r imaptest.Response) {
	switch r.Code {
	case "UIDVALIDITY":
		n, _ := r.CodeOf[0].Number()
		c.validity = uint32(n)
	case "UIDNEXT", "HIGHESTMODSEQ":
		if r.Code == "HIGHESTMODSEQ" {
			c.code, _ = r.CodeOf[0].Number()
		}
		if c.selecting { // others say what this session knows, not what there is
			c.hearNumbers(c.box, []imaptest.Value{{Text: r.Code}, r.CodeOf[0]})
		}
	case "COPYUID", "APPENDUID":
		c.copies = r.CodeOf
	}
	if r.Name == "BYE" && r.Text != "goodbye" {
		c.fail("BYE")
	}
	if r.Name == "BAD" {
		c.fail("I9: %s", r.Raw)
	}
	if r.Name == "NO" && r.Code == "UNAVAILABLE" {
		c.fail("I9: %s", r.Raw)
	}
}

// hearNumbers holds UIDNEXT and HIGHESTMODSEQ to I5.
func (c *client) hearNumbers(box string, pairs []imaptest.Value) {
	for i := 0; i+1 < len(pairs); i += 2 {
		n, _ := pairs[i+1].Number()
		what := pairs[i].Text
		if what != "UIDNEXT" && what != "HIGHESTMODSEQ" {
			continue
		}
		if err := c.w.tell(box+" "+what, n, c.floors[what]); err != nil {
			c.fail("%v", err)
		}
	}
}

func (c *client) hearExpunge(r imaptest.Response) {
	i := int(r.Number) - 1
	switch {
	case !c.may:
		c.fail("EXPUNGE in a command by sequence numbers")
	case c.kind == qresyncClient:
		c.fail("EXPUNGE with QRESYNC")
	case i < 0 || i >= len(c.uids):
		c.fail("EXPUNGE %d of %d", r.Number, len(c.uids))
	default:
		c.drop(i)
	}
}

func (c *client) drop(i int) {
	if uid := c.uids[i]; uid != 0 {
		c.w.vanish(place{c.box, c.validity, uid})
		delete(c.mail, uid)
	}
	c.uids = slices.Delete(c.uids, i, i+1)
}

func (c *client) hearVanished(r imaptest.Response) {
	earlier := r.Args[0].Kind == imaptest.List
	set, err := uidsOf(r.Args[len(r.Args)-1].Text)
	switch {
	case err != nil:
		c.fail("%v", err)
	case c.kind != qresyncClient:
		c.fail("VANISHED without QRESYNC")
	case !earlier && !c.may:
		c.fail("VANISHED in a command by sequence numbers")
	}
	for _, uid := range set {
		i, known := slices.BinarySearch(c.knownUIDs(), uid)
		switch {
		case earlier && known:
			c.drop(slices.Index(c.uids, uid))
		case earlier:
		case known:
			c.drop(slices.Index(c.uids, uid))
		default:
			// One whose UID has not been told: it must be between its neighbours.
			from, to := 0, len(c.uids)
			if k := c.knownUIDs(); i > 0 {
				from = slices.Index(c.uids, k[i-1]) + 1
			}
			if k := c.knownUIDs(); i < len(k) {
				to = slices.Index(c.uids, k[i])
			}
			if from >= to {
				c.fail("VANISHED %d, which is at no number", uid)
				return
			}
			c.uids = slices.Delete(c.uids, from, from+1)
			c.w.vanish(place{c.box, c.validity, uid})
		}
	}
}

// knownUIDs are those of uids that were told, ascending.
func (c *client) knownUIDs() []uint32 {
	return slices.DeleteFunc(slices.Clone(c.uids), func(u uint32) bool { return u == 0 })
}

// uidsOf takes a set apart. No server has reason to name a range backwards here.
func uidsOf(set string) (uids []uint32, err error) {
	for _, part := range strings.Split(set, ",") {
		first, last, _ := strings.Cut(part, ":")
		if last == "" {
			last = first
		}
		a, err1 := strconv.ParseUint(first, 10, 32)
		b, err2 := strconv.ParseUint(last, 10, 32)
		if err1 != nil || err2 != nil || a > b || a == 0 || b-a > 1<<20 {
			return nil, fmt.Errorf("odd set %q", set)
		}
		for ; a <= b; a++ {
			uids = append(uids, uint32(a))
		}
	}
	return uids, nil
}

func (c *client) hearFetch(r imaptest.Response) {
	i := int(r.Number) - 1
	if i < 0 || i >= len(c.uids) {
		c.fail("FETCH %d of %d", r.Number, len(c.uids))
		return
	}
	items := r.Args[0].List
	uid := c.uids[i]
	for k := 0; k+1 < len(items); k += 2 {
		if items[k].Text == "UID" {
			n, _ := items[k+1].Number()
			if uid != 0 && uid != uint32(n) {
				c.fail("number %d was UID %d and is %d", r.Number, uid, n)
				return
			}
			uid = uint32(n)
			c.learn(i, uid)
		}
	}
	if c.kind == qresyncClient && uid == 0 {
		c.fail("FETCH without UID")
		return
	}
	c.hearItems(uid, items)
}

// learn takes up the UID of a number. UIDs ascend.
func (c *client) learn(i int, uid uint32) {
	if c.uids[i] == uid {
		return
	}
	for k, u := range c.uids {
		if u != 0 && (k < i && u >= uid || k > i && u <= uid) {
			c.fail("number %d is UID %d, and number %d is %d", i+1, uid, k+1, u)
			return
		}
	}
	c.uids[i] = uid
	if err := c.w.meet(place{c.box, c.validity, uid}, c.since); err != nil {
		c.fail("%v", err)
	}
}

func (c *client) hearItems(uid uint32, items []imaptest.Value) {
	t := c.mail[uid]
	flags, modseq := false, false
	for k := 0; k+1 < len(items); k += 2 {
		value := items[k+1]
		switch name := items[k].Text; {
		case name == "FLAGS":
			flags = true
			t.flags = flagsOf(value.List)
		case name == "MODSEQ":
			modseq = true
			n, _ := value.List[0].Number()
			if n < t.modseq {
				c.fail("I5: MODSEQ of UID %d is %d and was %d", uid, n, t.modseq)
			}
			t.modseq = n
			c.heard = max(c.heard, n)
		case strings.HasPrefix(name, "BODY[HEADER") && uid != 0:
			c.seeText(uid, value.Text, false)
		case name == "BODY[]" && uid != 0:
			c.seeText(uid, value.Text, true)
		}
	}
	if flags && c.kind == qresyncClient && !modseq {
		c.fail("FETCH of flags without MODSEQ")
	}
	if uid != 0 {
		c.mail[uid] = t
	}
}

// seeText looks which message a UID is, and whether all of it is right.
func (c *client) seeText(uid uint32, text string, whole bool) {
	id := idOf(text)
	if whole && !strings.HasSuffix(strings.ReplaceAll(text, "\r\n", "\n"), textOf(id)) {
		c.fail("I2: UID %d is no message: %.300q", uid, text)
	}
	if err := c.w.see(place{c.box, c.validity, uid}, id); err != nil {
		c.fail("%v", err)
	}
}

func flagsOf(list []imaptest.Value) string {
	var flags []string
	for _, v := range list {
		if v.Text != `\Recent` {
			flags = append(flags, v.Text)
		}
	}
	slices.Sort(flags)
	return strings.Join(flags, " ")
}

// choose selects a mailbox and asks for the UIDs.
func (c *client) choose(box string) {
	if c.dead {
		return
	}
	c.remember()
	old, had := c.memory[box]
	command := "SELECT " + box
	if had && c.kind == qresyncClient {
		command = fmt.Sprintf("SELECT %s (QRESYNC (%d %d))", box, old.validity, old.modseq)
	}
	c.box, c.uids, c.mail = box, nil, map[uint32]told{}
	c.modseq, c.heard, c.code = 0, 0, 0
	c.since = c.w.now()
	if had && c.kind == qresyncClient {
		c.resume(command, old)
	} else {
		c.must(command)
	}
	c.fill()
}

// remember keeps what a client with QRESYNC knows.
func (c *client) remember() {
	if c.box == "" || c.kind != qresyncClient || c.dead {
		return
	}
	if slices.Contains(c.uids, 0) {
		delete(c.memory, c.box) // it cannot keep what it does not know
		return
	}
	m := memory{validity: c.validity, uids: c.knownUIDs(), mail: c.mail, modseq: c.modseq}
	c.memory[c.box] = m
}

// resume is SELECT with QRESYNC: what it says, applied to what was known, must be
// the mailbox. RFC 7162 section 3.2.5.
func (c *client) resume(command string, old memory) {
	c.tags++
	tag := fmt.Sprintf("%s.%d", c.name, c.tags)
	c.may, c.selecting = true, true
	c.floors = map[string]uint64{"UIDNEXT": c.w.floor(c.box + " UIDNEXT"), "HIGHESTMODSEQ": c.w.floor(c.box + " HIGHESTMODSEQ")}
	c.send(tag + " " + command)
	var fetched []imaptest.Response
	known := slices.Clone(old.uids)
	for !c.dead {
		r := c.read()
		switch {
		case r.Name == "VANISHED":
			gone, err := uidsOf(r.Args[len(r.Args)-1].Text)
			if err != nil || len(fetched) > 0 || r.Args[0].Kind != imaptest.List {
				c.fail("odd VANISHED (%v)", err)
			}
			known = slices.DeleteFunc(known, func(u uint32) bool { _, is := slices.BinarySearch(gone, u); return is })
		case r.Name == "FETCH":
			fetched = append(fetched, r)
			if uid := uidIn(r); !slices.Contains(known, uid) {
				known = append(known, uid)
			}
		default:
			c.hear(r)
		}
		if r.Tag == tag {
			if r.Name != "OK" {
				c.fail("SELECT: %s", r.Raw)
			}
			break
		}
	}
	if c.dead {
		return
	}
	slices.Sort(known)
	if len(known) != len(c.uids) {
		c.searched = nil
		c.ask("UID SEARCH ALL")
		c.fail("QRESYNC since %d gave %d messages, %d EXIST; too many: %v, missing: %v", old.modseq, len(known), len(c.uids),
			without(known, c.searched), without(c.searched, known))
		return
	}
	for i, uid := range known {
		c.learn(i, uid)
		c.mail[uid] = old.mail[uid]
	}
	for _, r := range fetched {
		c.hear(r)
	}
	c.conclude()
}

// without is the UIDs of a that are not in b.
func without(a, b []uint32) []uint32 {
	return slices.DeleteFunc(slices.Clone(a), func(u uint32) bool { return slices.Contains(b, u) })
}

func uidIn(r imaptest.Response) uint32 {
	items := r.Args[0].List
	for k := 0; k+1 < len(items); k += 2 {
		if items[k].Text == "UID" {
			n, _ := items[k+1].Number()
			return uint32(n)
		}
	}
	return 0
}

// fill asks for what is not known of the numbers there are.
func (c *client) fill() {
	if i := slices.Index(c.uids, 0); i >= 0 {
		c.ask(fmt.Sprintf("FETCH %d:%d (UID FLAGS BODY.PEEK[HEADER.FIELDS (X-Id)])", i+1, len(c.uids)))
	}
}
