package mailbox

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"rohrpost/maildir"
	"rohrpost/maildir/index"
	"rohrpost/maildir/uidlist"
)

// A message that a scan has missed, and that has its UID from another process
// already, is shown before a later one (RFC 9051 section 2.3.1.1: UIDs ascend with
// sequence numbers). Who was shown the later one alone would never see it.
func TestI27MessageThatAScanMissesIsNotOvertaken(t *testing.T) {
	t.Parallel()
	m := folder(t)
	fill(t, m, 1)
	b := open(t, m, false)
	sync(t, b)
	put(t, m, "cur/1700000010.M1P1.first:2,")
	put(t, m, "cur/1700000020.M1P1.gone:2,")
	put(t, m, "cur/1700000030.M1P1.second:2,")
	var names []maildir.Name
	for _, name := range []string{"1700000010.M1P1.first:2,", "1700000020.M1P1.gone:2,", "1700000030.M1P1.second:2,"} {
		names = append(names, maildir.ParseName(name))
	}
	if _, err := uidlist.Assign(m, names[:2], time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(m.Path() + "/cur/1700000020.M1P1.gone:2,"); err != nil {
		t.Fatal(err)
	}
	err := b.update(func(u *update) error {
		u.still = true
		return u.welcome(map[string]maildir.Message{names[2].Base: {Name: names[2]}}, false)
	})
	if err != nil {
		t.Fatal(err)
	}
	var uids []UID
	for pos := range b.Len() {
		uids = append(uids, b.UID(pos))
	}
	if !slices.Equal(uids, []UID{1, 2, 4}) {
		t.Errorf("UIDs %v", uids)
	}
}

// A list that has no UIDs left is made anew for all messages, not only for those that
// it could give none to.
func TestI29ListWithoutUIDsLeft(t *testing.T) {
	t.Parallel()
	m := folder(t)
	fill(t, m, 3)
	age(t, m)
	list := "3 V1700000000 N4294967295 G0123456789abcdef0123456789abcdef\n4294967294 :1700000000.M1P1.other\n"
	if err := os.WriteFile(m.Path()+"/dovecot-uidlist", []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	b := open(t, m, false)
	if b.Len() != 3 || b.Validity() <= 1700000000 {
		t.Errorf("%d messages under %d", b.Len(), b.Validity())
	}
}

// inPlace changes bytes of a file without a trace in its stamp.
func inPlace(t *testing.T, path, old, new string) {
	t.Helper()
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil || len(old) != len(new) || !bytes.Contains(b, []byte(old)) {
		t.Fatalf("%q cannot become %q in %s: %v", old, new, path, err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.Write(bytes.ReplaceAll(b, []byte(old), []byte(new)))
	f.Close()
	if err := os.Chtimes(path, st.ModTime(), st.ModTime()); err != nil {
		t.Fatal(err)
	}
}

func TestUIDOfANewMessageTakesNoLookAtTheOthers(t *testing.T) {
	t.Parallel()
	m := folder(t)
	fill(t, m, 3)
	b := open(t, m, true)
	b.UID(0)
	inPlace(t, filepath.Join(m.Path(), uidlist.Name), "2 :", "? :") // who reads it, mends it
	for uid := UID(4); uid < 6; uid++ {
		put(t, m, fmt.Sprintf("new/180000000%d.M1P1.other", uid))
		if !sync(t, b) || b.UID(b.Len()-1) != uid {
			t.Fatalf("the new message has UID %d, want %d", b.UID(b.Len()-1), uid)
		}
	}
	if text, err := os.ReadFile(filepath.Join(m.Path(), uidlist.Name)); err != nil || !bytes.Contains(text, []byte("? :")) {
		t.Errorf("the list was read: %s, %v", text, err)
	}
}

func TestMessageThatTheIndexNeverHadKeepsItsUIDWhenItComesBack(t *testing.T) {
	t.Parallel()
	for _, watch := range []bool{false, true} {
		m := folder(t)
		fill(t, m, 3)
		closeBox(t, open(t, m, false))
		away, back := filepath.Join(m.Path(), "tmp/away"), filepath.Join(m.Path(), "cur/1700000001.M1P1.other:2,")
		for _, step := range []error{
			os.Rename(back, away), os.Remove(filepath.Join(m.Path(), index.IndexName)),
		} {
			if step != nil {
				t.Fatal(step)
			}
		}
		b := open(t, m, watch)
		if b.Len() != 2 {
			t.Fatalf("%d messages", b.Len())
		}
		// Not behind the last one, for then this session could not show it.
		put(t, m, "new/1800000000.M1P1.other")
		sync(t, b)
		if err := os.Rename(away, back); err != nil {
			t.Fatal(err)
		}
		sync(t, b)
		closeBox(t, b)
		c := open(t, m, false)
		if pos, ok := c.Find(2); !ok || c.Name(pos).Base != "1700000001.M1P1.other" || c.Len() != 4 {
			t.Errorf("watch %t: of %d messages, none has UID 2", watch, c.Len())
		}
	}
}

func TestI32MessageWhoseNameIsDamagedIsNotANewOne(t *testing.T) {
	t.Parallel()
	m := folder(t)
	fill(t, m, 3)
	age(t, m)
	closeBox(t, open(t, m, false))
	b := open(t, m, true)
	b.UID(0)
	inPlace(t, filepath.Join(m.Path(), index.IndexName), "1700000001.M1P1", "1700000001.M1?1")
	if err := os.Rename(filepath.Join(m.Path(), "cur/1700000001.M1P1.other:2,"), filepath.Join(m.Path(), "cur/1700000001.M1P1.other:2,F")); err != nil {
		t.Fatal(err)
	}
	sync(t, b)
	if pos, ok := b.Find(2); !ok || b.Len() != 3 || b.At(pos).Flags != maildir.Flagged {
		t.Errorf("%d messages, UID 2 has flags %s", b.Len(), b.At(1).Flags)
	}
}

func TestI32MessageWhoseKeyIsAnothersIsNotGone(t *testing.T) {
	t.Parallel()
	m := folder(t)
	fill(t, m, 1)
	b := open(t, m, false)
	b.UID(0)
	put(t, m, "cur/1800000000.M1P1.other:2,")
	put(t, m, "cur/1800000001.M1P1.other:2,")
	sync(t, b)
	b.view.late[index.Key([]byte("1800000000.M1P1.other"))] = 3 // as if the keys were alike
	age(t, m)
	b.doubt = true
	sync(t, b)
	if b.Len() != 3 || len(b.Gone()) > 0 || b.Name(1).Base != "1800000000.M1P1.other" {
		t.Errorf("of %d messages, %v are gone", b.Len(), b.Gone())
	}
}
