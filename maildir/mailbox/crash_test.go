package mailbox

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rohrpost/maildir"
	"rohrpost/maildir/disk"
	"rohrpost/maildir/disk/disktest"
)

// crashed are two folders, A with three messages that are durable, whose steps are
// noted. A yes is the name of a folder, a UID and a text, which is there then; or
// with a minus, which is not there any more.
func crashed(t *testing.T, inNew bool) (a, b *maildir.Maildir, r *disktest.Recorder) {
	t.Helper()
	root := disktest.Memory(t)
	made := folderAt(t, filepath.Join(root, "A"))
	folderAt(t, filepath.Join(root, "B"))
	for i := range 3 {
		name := fmt.Sprintf("cur/170000000%d.M1P1.other:2,", i)
		if inNew {
			name = fmt.Sprintf("new/170000000%d.M1P1.other", i)
		}
		if err := os.WriteFile(filepath.Join(made.Path(), name), []byte(text(i)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	closeBox(t, open(t, made, false)) // the list of UIDs
	for _, name := range []string{"rohrpost.index", "rohrpost.lock"} {
		os.Remove(filepath.Join(made.Path(), name))
	}
	r = disktest.Record(t, root)
	for _, f := range []struct {
		name string
		m    **maildir.Maildir
	}{{"A", &a}, {"B", &b}} {
		m, err := maildir.Open(filepath.Join(root, f.name), withoutIndex{r})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.Close() })
		*f.m = m
	}
	return a, b, r
}

// withoutIndex keeps indexes in memory: a copy of the folder ignores them anyway,
// and what a power cut leaves of them multiplies the worlds.
type withoutIndex struct{ disk.FS }

func (f withoutIndex) Create(d *disk.Dir, name string) (disk.File, error) {
	if name == "rohrpost.lock" {
		return nil, unix.EROFS
	}
	return f.FS.Create(d, name)
}

func text(i int) string { return fmt.Sprintf("Subject: %d\n\n", i) }

// contents are the texts of a folder by UID, as a session after the crash sees
// them.
func contents(path string) (map[UID]string, error) {
	// Its process is dead after a crash; here it lives.
	os.Remove(filepath.Join(path, "dovecot-uidlist.lock"))
	m, err := maildir.Open(path, disktest.Fast)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	b, err := Open(m, Options{})
	if err != nil {
		return nil, err
	}
	defer b.Close()
	all := map[UID]string{}
	for pos := range b.Len() {
		f, err := b.OpenMessage(pos)
		if err != nil {
			return nil, err
		}
		p, err := io.ReadAll(f)
		f.Close()
		if err != nil {
			return nil, err
		}
		all[b.UID(pos)] = string(p)
	}
	return all, nil
}

// judge holds each world to the yeses, and to own rules of the test.
func judge(t *testing.T, r *disktest.Recorder, rule func(w *disktest.World, a, b map[UID]string) error) {
	t.Helper()
	n := disktest.Judge(t, r.Trace(), func(w *disktest.World, root string) error {
		a, err := contents(filepath.Join(root, "A"))
		if err != nil {
			return err
		}
		b, err := contents(filepath.Join(root, "B"))
		if err != nil {
			return err
		}
		for _, ack := range w.Acks() {
			if err := keeps(ack, map[string]map[UID]string{"A": a, "B": b}); err != nil {
				return err
			}
		}
		return rule(w, a, b)
	})
	if n < 3 {
		t.Errorf("only %d worlds", n)
	}
}

// keeps holds the folders to one yes.
func keeps(ack string, folders map[string]map[UID]string) error {
	word := strings.SplitN(ack, " ", 3)
	var uid UID
	fmt.Sscan(word[1], &uid)
	got, there := folders[strings.TrimPrefix(word[0], "-")][uid]
	switch {
	case word[0][0] == '-' && there:
		return fmt.Errorf("%s %d is there again: %q", word[0][1:], uid, got)
	case word[0][0] != '-' && got != word[2]:
		return fmt.Errorf("said yes to %q, UID %d holds %q", ack, uid, got)
	}
	return nil
}

func whole(folders ...map[UID]string) error {
	for _, f := range folders {
		for uid, s := range f {
			var i int
			if _, err := fmt.Sscanf(s, "Subject: %d\n\n", &i); err != nil || s != text(i) {
				return fmt.Errorf("UID %d holds %q", uid, s)
			}
		}
	}
	return nil
}

// has reports whether one of the folders has message i.
func has(i int, folders ...map[UID]string) bool {
	for _, f := range folders {
		for _, s := range f {
			if s == text(i) {
				return true
			}
		}
	}
	return false
}

func TestF13_AcknowledgedAppendKeepsItsUIDOverEveryPowerCut(t *testing.T) {
	t.Parallel()
	for _, flags := range []maildir.Flags{0, maildir.Seen} {
		_, b, r := crashed(t, false)
		a := NewAppend(b, time.Now)
		for i := range 2 {
			if err := a.Begin(flags, time.Time{}); err != nil {
				t.Fatal(err)
			}
			io.WriteString(a, text(i))
		}
		_, uids, err := a.Commit()
		if err != nil {
			t.Fatal(err)
		}
		for i, uid := range uids {
			r.Ack(fmt.Sprintf("B %d %s", uid, text(i)))
		}
		judge(t, r, func(_ *disktest.World, a, b map[UID]string) error { return whole(a, b) })
	}
}

func TestF13_CopyAndMoveLoseNothingInAnyPowerCut(t *testing.T) {
	t.Parallel()
	for _, move := range []bool{false, true} {
		a, to, r := crashed(t, false)
		box := open(t, a, false)
		do := box.Copy
		if move {
			do = box.Move
		}
		done, err := do([]int{0, 2}, to)
		if err != nil {
			t.Fatal(err)
		}
		for k, i := range []int{0, 2} {
			r.Ack(fmt.Sprintf("B %d %s", done.UIDs[k], text(i)))
			if move {
				r.Ack(fmt.Sprintf("-A %d", done.From[k]))
			}
		}
		judge(t, r, func(_ *disktest.World, a, b map[UID]string) error {
			for i := range 3 {
				if !has(i, a, b) {
					return fmt.Errorf("message %d is nowhere", i)
				}
			}
			return whole(a, b)
		})
	}
}

func TestF13_ExpungedMessageNeverComesBack(t *testing.T) {
	t.Parallel()
	for _, inNew := range []bool{false, true} {
		a, _, r := crashed(t, inNew)
		box := open(t, a, false)
		if err := box.Expunge([]int{1}); err != nil {
			t.Fatal(err)
		}
		r.Ack("-A 2")
		judge(t, r, func(_ *disktest.World, a, _ map[UID]string) error {
			if !has(0, a) || !has(2, a) {
				return errors.New("another message is gone")
			}
			return whole(a)
		})
	}
}

func TestF13_StoreLosesNoMessageInAnyPowerCut(t *testing.T) {
	t.Parallel()
	for _, inNew := range []bool{false, true} {
		a, _, r := crashed(t, inNew)
		box := open(t, a, false)
		if err := box.Take(); err != nil {
			t.Fatal(err)
		}
		if _, err := box.Store([]int{0, 1}, Store{Add: maildir.Seen}); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			r.Ack(fmt.Sprintf("A %d %s", i+1, text(i)))
		}
		judge(t, r, func(_ *disktest.World, a, _ map[UID]string) error {
			for i := range 3 {
				if a[UID(i+1)] != text(i) {
					return fmt.Errorf("message %d is gone or has another UID: %v", i, a)
				}
			}
			return nil
		})
	}
}

func TestI34_ToldUIDsStayWithTheirMessages(t *testing.T) {
	t.Parallel()
	a, _, r := crashed(t, false)
	box := open(t, a, false)
	// Another program delivers, durably; its steps are none of ours.
	d, err := a.Begin("")
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(d, text(7))
	if _, err := d.Commit(); err != nil {
		t.Fatal(err)
	}
	sync(t, box)
	if box.Len() != 4 {
		t.Fatalf("%d messages", box.Len())
	}
	r.Ack(fmt.Sprintf("A %d %s", box.UID(3), text(7)))
	judge(t, r, func(_ *disktest.World, a, _ map[UID]string) error { return whole(a) })
}

func TestF13_ErrorAnywhereLeavesNoHalfOfAnAppendOrCopy(t *testing.T) {
	t.Parallel()
	for at := 1; ; at++ {
		root := disktest.Memory(t)
		from, to := folderAt(t, filepath.Join(root, "A")), folderAt(t, filepath.Join(root, "B"))
		for i := range 3 {
			put(t, from, fmt.Sprintf("cur/170000000%d.M1P1.other:2,", i))
		}
		box := open(t, from, false)
		faulty := &disktest.Faulty{FS: disktest.Fast, At: at, Err: io.ErrUnexpectedEOF}
		m, err := maildir.Open(to.Path(), faulty)
		if err != nil {
			t.Fatal(err)
		}
		_, err = box.Copy([]int{0, 1, 2}, m)
		m.Close()
		if !faulty.Hit() {
			if err != nil {
				t.Fatal(err)
			}
			return
		}
		list, lerr := os.ReadDir(filepath.Join(to.Path(), "cur"))
		if lerr != nil {
			t.Fatal(lerr)
		}
		if want := map[bool]int{true: 3, false: 0}[err == nil]; len(list) != want {
			t.Errorf("fault at call %d: %v, %d messages", at, err, len(list))
		}
	}
}
