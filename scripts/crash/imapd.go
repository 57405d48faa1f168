//go:build linux && amd64

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"rohrpost/protocol/imap/imaptest"
)

// An imapTask is what a client asks in one session over a Maildir whose INBOX has
// messages 0 to 3, with UIDs 1 to 4 if warm, and whose folder Box is empty. Messages
// 4 to 6 are the client's.
type imapTask struct {
	name     string
	warm     bool
	commands []string // each with the tag that acknowledges it; "{N}" is message N as a literal
	judge    func(ok map[string]bool, inbox, box shelf) error
}

var imapTasks = []imapTask{
	{"SELECT", false, []string{"a SELECT INBOX", "b UID FETCH 1:* (FLAGS BODY.PEEK[HEADER])"}, judgeNothing},
	{"APPEND", true, []string{`a APPEND INBOX (\Seen work) {4}`, "b APPEND INBOX {5} {6}"}, judgeAppend},
	{"STORE", true, []string{"a SELECT INBOX", `b UID STORE 1:2 +FLAGS (\Flagged work)`, "c CLOSE"}, judgeStore},
	{"EXPUNGE", true, []string{"a SELECT INBOX", `b UID STORE 1:2 +FLAGS.SILENT (\Deleted)`, "c EXPUNGE", "d NOOP"}, judgeExpunge},
	{"COPY", true, []string{"a SELECT INBOX", "b UID COPY 1:2 Box", "c STATUS Box (MESSAGES UIDNEXT)"}, judgeCopy},
	{"MOVE", true, []string{"a SELECT INBOX", "b UID MOVE 1:2 Box", "c NOOP"}, judgeMove},
}

// shelf is a mailbox as a fresh session sees it.
type shelf struct {
	numbers map[string]uint64      // UIDVALIDITY, UIDNEXT, HIGHESTMODSEQ
	mail    map[uint64]imapMessage // by UID
}

type imapMessage struct {
	n     int // which message it is
	flags string
}

// count is how often each message is there.
func (s shelf) count() (n [7]int) {
	for _, m := range s.mail {
		n[m.n]++
	}
	return n
}

// imapScenario runs a task. What the client was told is on standard output.
func imapScenario(bin string, task imapTask) scenario {
	return scenario{name: "imapd, " + task.name, make: func(dir string) (*instance, error) {
		home, input := filepath.Join(dir, "home"), filepath.Join(dir, "session")
		if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(input, imapSession(task.commands), 0o600)); err != nil {
			return nil, err
		}
		return &instance{
			command: command{argv: []string{filepath.Join(bin, "imapd")}, env: []string{"HOME=" + home, "MAILDIR=", "GOMAXPROCS=1"}, stdin: input},
			reset:   func() error { return resetHome(home, task.warm) },
			judge:   func(o outcome) error { return judgeIMAP(bin, home, task, o) },
		}, nil
	}}
}

func imapText(n int) []byte { return message(n, 3000+n*20_000) }

// imapSession is what the client sends.
func imapSession(commands []string) []byte {
	var b bytes.Buffer
	for _, c := range commands {
		for n := range 7 {
			text := bytes.ReplaceAll(imapText(n), []byte("\n"), []byte("\r\n"))
			c = strings.ReplaceAll(c, fmt.Sprintf("{%d}", n), fmt.Sprintf("{%d+}\r\n%s", len(text), text))
		}
		b.WriteString(c + "\r\n")
	}
	b.WriteString("z LOGOUT\r\n")
	return b.Bytes()
}

// resetHome makes the Maildir anew.
func resetHome(home string, warm bool) error {
	inbox, box := filepath.Join(home, "Maildir"), filepath.Join(home, "Maildir", ".Box")
	err := errors.Join(emptyDir(home), makeMaildir(inbox), makeMaildir(box), os.WriteFile(filepath.Join(box, "maildirfolder"), nil, 0o600))
	list := "3 V1700000000 N5 G0123456789abcdef0123456789abcdef\n"
	for n := range 4 {
		base := fmt.Sprintf("170000000%d.M1P1.mx", n)
		list += fmt.Sprintf("%d :%s\n", n+1, base)
		place := "cur/" + base + ":2,"
		if n == 3 {
			place = "new/" + base
		}
		err = errors.Join(err, os.WriteFile(filepath.Join(inbox, place), imapText(n), 0o600))
	}
	if warm {
		err = errors.Join(err, os.WriteFile(filepath.Join(inbox, "dovecot-uidlist"), []byte(list), 0o600))
	}
	return err
}

// judgeIMAP asks a fresh session what is left, and holds that to what was told.
func judgeIMAP(bin, home string, task imapTask, o outcome) error {
	if err := oneOf(o, 0, 100, 111); err != nil {
		return err
	}
	if err := ageLocks(home); err != nil {
		return err
	}
	shelves, err := lookAround(bin, home)
	if err != nil {
		return fmt.Errorf("afterwards: %w", err)
	}
	debris, err := visible(filepath.Join(home, "Maildir", "tmp"), filepath.Join(home, "Maildir", ".Box", "tmp"))
	if len(debris) > 2 {
		err = errors.Join(err, fmt.Errorf("%d files left in tmp", len(debris)))
	}
	told, oks := hearAll(o.stdout)
	return errors.Join(err, task.judge(oks, shelves["INBOX"], shelves["Box"]), judgeTold(task, told, shelves))
}

// ageLocks lets the two minutes go by after which a lock file is stale that was made
// and not yet signed. Any other of a dead process has to be free at once.
func ageLocks(home string) error {
	for _, dir := range []string{"Maildir", "Maildir/.Box"} {
		locks, _ := filepath.Glob(filepath.Join(home, dir, "*.lock"))
		for _, l := range locks {
			if st, err := os.Stat(l); err == nil && st.Size() == 0 && filepath.Base(l) != "rohrpost.lock" {
				if err := os.Remove(l); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// lookAround is all mailboxes as a fresh session sees them.
func lookAround(bin, home string) (map[string]shelf, error) {
	c := exec.Command(filepath.Join(bin, "imapd"))
	c.Env = []string{"HOME=" + home, "GOMAXPROCS=1"}
	c.Stdin = strings.NewReader("a SELECT INBOX\r\nb UID FETCH 1:* (FLAGS BODY.PEEK[])\r\nc SELECT Box\r\nd UID FETCH 1:* (FLAGS BODY.PEEK[])\r\nz LOGOUT\r\n")
	var log bytes.Buffer
	c.Stderr = &log
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, &log)
	}
	told, oks := hearAll(out)
	for _, tag := range []string{"a", "c", "z"} {
		if !oks[tag] {
			return nil, fmt.Errorf("%s was not OK: %.200s...%s", tag, out[max(0, len(out)-200):], &log)
		}
	}
	shelves := map[string]shelf{}
	for box, of := range splitByBox(told) {
		if shelves[box], err = shelve(of, true); err != nil {
			return nil, err
		}
	}
	return shelves, nil
}

// hearAll parses what a session said, as far as it goes, and the tags of its OKs.
func hearAll(out []byte) (told []imaptest.Response, oks map[string]bool) {
	oks = map[string]bool{}
	r := imaptest.NewReader(bytes.NewReader(out))
	for {
		resp, err := r.Next()
		if err == io.EOF || err != nil {
			return told, oks
		}
		told = append(told, resp)
		if resp.Name == "OK" {
			oks[resp.Tag] = true
		}
	}
}

// splitByBox takes apart what was told by SELECT a and SELECT c. CLOSED begins the
// second.
func splitByBox(told []imaptest.Response) map[string][]imaptest.Response {
	i := slices.IndexFunc(told, func(r imaptest.Response) bool { return r.Code == "CLOSED" })
	if i < 0 {
		return map[string][]imaptest.Response{"INBOX": told}
	}
	return map[string][]imaptest.Response{"INBOX": told[:i], "Box": told[i:]}
}

// shelve collects what FETCH and response codes told of a mailbox. With whole, bodies
// are complete.
func shelve(told []imaptest.Response, whole bool) (shelf, error) {
	s := shelf{numbers: map[string]uint64{}, mail: map[uint64]imapMessage{}}
	for _, r := range told {
		switch r.Code {
		case "UIDVALIDITY", "UIDNEXT", "HIGHESTMODSEQ":
			s.numbers[r.Code], _ = r.CodeOf[0].Number()
		}
		if r.Name != "FETCH" {
			continue
		}
		var uid uint64
		m := imapMessage{n: -1}
		items := r.Args[0].List
		for k := 0; k+1 < len(items); k += 2 {
			switch v := items[k+1]; {
			case items[k].Text == "UID":
				uid, _ = v.Number()
			case items[k].Text == "FLAGS":
				for _, f := range v.List {
					m.flags += f.Text + " "
				}
			case strings.HasPrefix(items[k].Text, "BODY["):
				m.n = whichMessage(v.Text, whole)
				if m.n < 0 {
					return s, fmt.Errorf("torn: UID %d is %.100q", uid, v.Text)
				}
			}
		}
		if uid != 0 && m.n >= 0 {
			s.mail[uid] = m
		}
	}
	return s, nil
}

// whichMessage is the number of a message on the wire, -1 if it is none.
func whichMessage(text string, whole bool) int {
	_, after, _ := strings.Cut(text, "Subject: message ")
	n, err := strconv.Atoi(strings.TrimSpace(strings.SplitN(after, "\r\n", 2)[0]))
	if err != nil || n > 6 || whole && strings.ReplaceAll(text, "\r\n", "\n") != string(imapText(n)) {
		return -1
	}
	return n
}

// judgeTold holds all numbers that were told to what is told now: under the same
// UIDVALIDITY a UID is the same message, and neither UIDNEXT nor HIGHESTMODSEQ fall.
func judgeTold(task imapTask, told []imaptest.Response, shelves map[string]shelf) error {
	before, err := shelve(told, false)
	now := shelves["INBOX"]
	if v := before.numbers["UIDVALIDITY"]; v != 0 && v != now.numbers["UIDVALIDITY"] || task.warm && now.numbers["UIDVALIDITY"] != 1700000000 {
		return errors.Join(err, fmt.Errorf("UIDVALIDITY was %d and is %d", v, now.numbers["UIDVALIDITY"]))
	}
	for _, what := range []string{"UIDNEXT", "HIGHESTMODSEQ"} {
		if before.numbers[what] > now.numbers[what] {
			err = errors.Join(err, fmt.Errorf("%s was %d and is %d", what, before.numbers[what], now.numbers[what]))
		}
	}
	for uid, m := range before.mail {
		if is, ok := now.mail[uid]; !ok || is.n != m.n {
			err = errors.Join(err, fmt.Errorf("UID %d was message %d and is %v", uid, m.n, is))
		}
	}
	for uid, m := range now.mail {
		if task.warm && uid <= 4 && int(uid) != m.n+1 {
			err = errors.Join(err, fmt.Errorf("UID %d is message %d", uid, m.n))
		}
	}
	for _, r := range told {
		switch r.Code {
		case "APPENDUID":
			err = errors.Join(err, judgeUIDs(r.CodeOf[0], r.CodeOf[1].Text, map[string]int{"a": 4, "b": 5}[r.Tag], now))
		case "COPYUID":
			err = errors.Join(err, judgeUIDs(r.CodeOf[0], r.CodeOf[2].Text, 0, shelves["Box"]))
		}
	}
	return err
}

// judgeUIDs wants the messages from n on at the UIDs that an answer gave them.
func judgeUIDs(validity imaptest.Value, set string, n int, now shelf) error {
	if v, _ := validity.Number(); v != now.numbers["UIDVALIDITY"] {
		return fmt.Errorf("UIDVALIDITY %d was answered and is %d", v, now.numbers["UIDVALIDITY"])
	}
	for _, part := range strings.Split(set, ",") {
		first, last, ranged := strings.Cut(part, ":")
		if !ranged {
			last = first
		}
		from, _ := strconv.ParseUint(first, 10, 32)
		to, _ := strconv.ParseUint(last, 10, 32)
		for ; from <= to; from, n = from+1, n+1 {
			if m, ok := now.mail[from]; !ok || m.n != n {
				return fmt.Errorf("LOST: UID %d was answered for message %d, and is %v", from, n, m)
			}
		}
	}
	return nil
}

// exactly wants n of a message, or at most n if it was not acknowledged.
func exactly(what string, got, n int, acknowledged bool) error {
	if got == n || !acknowledged && got <= n {
		return nil
	}
	return fmt.Errorf("%s is there %d times, want %d (acknowledged: %v)", what, got, n, acknowledged)
}

// stay wants messages once in INBOX.
func stay(inbox shelf, messages ...int) (err error) {
	n := inbox.count()
	for _, m := range messages {
		err = errors.Join(err, exactly(fmt.Sprintf("message %d in INBOX", m), n[m], 1, true))
	}
	return err
}

func judgeNothing(_ map[string]bool, inbox, _ shelf) error { return stay(inbox, 0, 1, 2, 3) }

func judgeAppend(ok map[string]bool, inbox, _ shelf) error {
	n := inbox.count()
	return errors.Join(stay(inbox, 0, 1, 2, 3), exactly("message 4", n[4], 1, ok["a"]), exactly("message 5", n[5], 1, ok["b"]), exactly("message 6", n[6], 1, ok["b"]))
}

func judgeStore(ok map[string]bool, inbox, _ shelf) error {
	err := stay(inbox, 0, 1, 2, 3)
	for uid := uint64(1); uid <= 4; uid++ {
		flags := inbox.mail[uid].flags
		if has := strings.Contains(flags, `\Flagged`) && strings.Contains(flags, "work"); ok["b"] && uid <= 2 && !has || uid > 2 && has {
			err = errors.Join(err, fmt.Errorf("flags of UID %d are %s", uid, flags))
		}
	}
	return err
}

func judgeExpunge(ok map[string]bool, inbox, _ shelf) error {
	n := inbox.count()
	err := stay(inbox, 2, 3)
	for m := range 2 {
		if n[m] > 1 || ok["c"] && n[m] > 0 {
			err = errors.Join(err, fmt.Errorf("message %d was expunged and is there %d times", m, n[m]))
		}
	}
	return err
}

func judgeCopy(ok map[string]bool, inbox, box shelf) error {
	n := box.count()
	return errors.Join(stay(inbox, 0, 1, 2, 3), exactly("copy of 0", n[0], 1, ok["b"]), exactly("copy of 1", n[1], 1, ok["b"]))
}

func judgeMove(ok map[string]bool, inbox, box shelf) error {
	from, to := inbox.count(), box.count()
	err := stay(inbox, 2, 3)
	for m := range 2 {
		if from[m] > 1 || to[m] > 1 || from[m]+to[m] == 0 || ok["b"] && (from[m] != 0 || to[m] != 1) {
			err = errors.Join(err, fmt.Errorf("message %d is %d times in INBOX and %d in Box (acknowledged: %v)", m, from[m], to[m], ok["b"]))
		}
	}
	return err
}
