package uidlist_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rohrpost/maildir"
	"rohrpost/maildir/disk/disktest"
	"rohrpost/maildir/keyword"
	"rohrpost/maildir/subscription"
	"rohrpost/maildir/uidlist"
)

// copyOf is a Maildir with the files of a tree in testdata.
func copyOf(t *testing.T, tree string) *maildir.Maildir {
	t.Helper()
	path := filepath.Join(t.TempDir(), "Maildir")
	must(t, os.CopyFS(path, os.DirFS(filepath.Join("testdata", tree))))
	m, err := maildir.Create(path, disktest.Fast)
	must(t, err)
	t.Cleanup(func() { m.Close() })
	return m
}

// letters is the flags of a message as IMAP names them, sorted.
func letters(f maildir.Flags, names *keyword.Table) string {
	var all []string
	for _, s := range []struct {
		flag maildir.Flags
		name string
	}{{maildir.Draft, `\Draft`}, {maildir.Flagged, `\Flagged`}, {maildir.Replied, `\Answered`}, {maildir.Seen, `\Seen`}} {
		if f&s.flag != 0 {
			all = append(all, s.name)
		}
	}
	for n := range keyword.Max {
		if f&maildir.Keyword(n) != 0 {
			all = append(all, names.Name(n))
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// A tree that Dovecot 2.3.19 wrote says here what Dovecot said of it, and is not
// changed by that. scripts/interop/dovecot -fixture has made it.
func TestTreeOfDovecot23(t *testing.T) {
	t.Parallel()
	m := copyOf(t, "dovecot-2.3")
	list, err := m.Scan()
	must(t, err)
	var all []maildir.Name
	for i := range list.Len() {
		all = append(all, list.At(i).Name)
	}
	before := read(t, m)
	l, err := uidlist.Assign(m, all, now)
	must(t, err)
	names, err := keyword.Read(m.Dir())
	must(t, err)
	got := fmt.Sprintf("UIDVALIDITY %d\nUIDNEXT %d\n", l.Validity, l.Next)
	for i := range l.Len() {
		r := l.Record(i)
		msg := list.At(list.Find(maildir.ParseName(r.Name).Base))
		got += fmt.Sprintf("%d %s\n", r.UID, letters(msg.Flags, names))
	}
	want, err := os.ReadFile(filepath.Join(m.Path(), "want"))
	if err != nil || !strings.EqualFold(got, string(want)) {
		t.Errorf("%s\nwant\n%s, %v", got, want, err)
	}
	if after := read(t, m); after != before {
		t.Errorf("the list was %q and is %q", before, after)
	}
	subscribed, err := subscription.Read(m)
	if err != nil || !slices.Equal(subscribed, []string{"Lists.golang", "Entwürfe", "INBOX"}) {
		t.Errorf("subscribed to %q, %v", subscribed, err)
	}
	for name, want := range map[string]string{"Lists.golang": "V1795734028 N1", "Entwürfe": "V1795734029 N1"} {
		f, err := m.CreateFolder(name) // which adds the empty directories that testdata lacks
		must(t, err)
		if fl, err := uidlist.Assign(f, nil, now); err != nil || text(fl) != want {
			t.Errorf("%s: %s, %v, want %s", name, text(fl), err, want)
		}
		must(t, f.Close())
	}
	folders, err := m.Folders()
	if err != nil || !slices.Equal(folders, []string{"Entwürfe", "Lists.golang"}) {
		t.Errorf("folders %q, %v", folders, err)
	}
	// A folder that is made now comes after all that Dovecot has made.
	f, err := m.CreateFolder("new")
	must(t, err)
	defer f.Close()
	if fl, err := uidlist.Assign(f, nil, now); err != nil || fl.Validity <= 1795734029 {
		t.Errorf("the new folder's list is %s, %v", text(fl), err)
	}
}

// A tree that Courier's imapd 5.0.13 wrote has the UIDs that it told, in its folder
// too, and its subscriptions. scripts/interop/dovecot -fixture has made it.
func TestTreeOfCourier50(t *testing.T) {
	t.Parallel()
	root := copyOf(t, "courier-5.0")
	folder, err := root.CreateFolder("Lists.golang") // which adds the empty directories that testdata lacks
	must(t, err)
	defer folder.Close()
	for _, m := range []*maildir.Maildir{root, folder} {
		list, err := m.Scan()
		must(t, err)
		list.Sort()
		var all []maildir.Name
		for i := range list.Len() {
			all = append(all, list.At(i).Name)
		}
		l, err := uidlist.Assign(m, all, now)
		must(t, err)
		got := fmt.Sprintf("UIDVALIDITY %d\n", l.Validity)
		for i := range l.Len() {
			r := l.Record(i)
			msg := list.At(list.Find(maildir.ParseName(r.Name).Base))
			got += fmt.Sprintf("%d %s\n", r.UID, letters(msg.Flags, nil))
		}
		want, err := os.ReadFile(filepath.Join(m.Path(), "want"))
		if err != nil || !strings.EqualFold(got, string(want)) {
			t.Errorf("%s\nwant\n%s, %v", got, want, err)
		}
	}
	subscribed, err := subscription.Read(root)
	if err != nil || !slices.Equal(subscribed, []string{"Lists.golang", "Entwürfe", "INBOX"}) {
		t.Errorf("subscribed to %q, %v", subscribed, err)
	}
}
