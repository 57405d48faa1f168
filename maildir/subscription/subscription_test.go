package subscription_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"rohrpost/maildir"
	"rohrpost/maildir/disk/disktest"
	"rohrpost/maildir/subscription"
)

const (
	dovecot = subscription.Name
	courier = "courierimapsubscribed"
)

func box(t *testing.T) *maildir.Maildir {
	t.Helper()
	m, err := maildir.Create(filepath.Join(t.TempDir(), "Maildir"), disktest.Fast)
	must(t, err)
	t.Cleanup(func() { m.Close() })
	return m
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, m *maildir.Maildir, name, text string) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(m.Path(), name), []byte(text), 0o600))
}

func content(t *testing.T, m *maildir.Maildir) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(m.Path(), dovecot))
	must(t, err)
	return string(b)
}

func TestRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ about, name, text, want string }{
		{"no list", "other", "", "[]"},
		{"version 2", dovecot, "V\t2\n\nINBOX\nLists\tgolang\nEntw&APw-rfe\tx\n", "[INBOX Lists.golang Entwürfe.x]"},
		{"version 1", dovecot, "INBOX\nLists.golang\nEntw&APw-rfe.x\n", "[INBOX Lists.golang Entwürfe.x]"},
		{"no LF at the end", dovecot, "a\nb", "[a b]"},
		{"CRLF and empty lines", dovecot, "a\r\n\r\n\nb\r\n", "[a b]"},
		{"names twice", dovecot, "a\nb\na\ninbox\nINBOX\n", "[a b INBOX]"},
		{"names in UTF-8", dovecot, "V\t2\n\nEntwürfe\tx\n", "[Entwürfe.x]"},
		{"escaped bytes, which no folder has", dovecot, "V\t2\n\na\x01tb\nc\x010\nd\n", "[d]"},
		{"what can be no folder", dovecot, "a/b\n..\n../x\na..b\n.a\na.\n~root\n&\n&AC8-\n\xff\nok\n", "[& &AC8- ok]"},
		{"Courier", courier, "INBOX\nINBOX.Sent\nINBOX.Entw&APw-rfe.x\nshared.list\n#shared\nINBOX.\n", "[INBOX Sent Entwürfe.x]"},
	} {
		m := box(t)
		write(t, m, c.name, c.text)
		names, err := subscription.Read(m)
		if got := fmt.Sprint(names); err != nil || got != c.want {
			t.Errorf("%s: %s, %v, want %s", c.about, got, err, c.want)
		}
	}
}

func TestSetKeepsTheFormat(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ about, name, text, want string }{
		{"no list", "other", "", "V\t2\n\nEntw&APw-rfe\tx\n"},
		{"version 2", dovecot, "V\t2\n\nold\na\x01tb\ngone\tx\n", "V\t2\n\nold\na\x01tb\nEntw&APw-rfe\tx\n"},
		{"version 1", dovecot, "old\na/b\ngone.x\n", "old\na/b\nEntw&APw-rfe.x\n"},
		{"Courier", courier, "INBOX.old.x\nINBOX.gone.x\nINBOX\n", "V\t2\n\nold\tx\nINBOX\nEntw&APw-rfe\tx\n"},
	} {
		m := box(t)
		write(t, m, c.name, c.text)
		for range 2 {
			must(t, subscription.Set(m, "Entwürfe.x", true))
			must(t, subscription.Set(m, "gone.x", false))
			if got := content(t, m); got != c.want {
				t.Errorf("%s: file holds %q, want %q", c.about, got, c.want)
			}
		}
		if left, _ := filepath.Glob(m.Path() + "/subscriptions*"); len(left) != 1 {
			t.Errorf("%s: files %v", c.about, left)
		}
	}
}

// RFC 9051 section 6.3.7: "it SHOULD NOT unilaterally remove an existing mailbox name
// from the subscription list even if a mailbox by that name no longer exists."
func TestNamesNeedNoFolders(t *testing.T) {
	t.Parallel()
	m := box(t)
	must(t, subscription.Set(m, "INBOX", true))
	must(t, subscription.Set(m, "nowhere", true))
	if names, err := subscription.Read(m); err != nil || !slices.Equal(names, []string{"INBOX", "nowhere"}) {
		t.Errorf("%q, %v", names, err)
	}
}

func TestSetRefusesWhatCanBeNoFolder(t *testing.T) {
	t.Parallel()
	m := box(t)
	for _, name := range []string{"", "a/b", "a..b", "a\nb", "a\tb", "inbox", "\xff", strings.Repeat("x", 255)} {
		if err := subscription.Set(m, name, true); !errors.Is(err, maildir.ErrFolderName) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := os.Stat(filepath.Join(m.Path(), dovecot)); err == nil {
		t.Error("there is a file")
	}
}

func TestListThatIsTooLargeIsAnError(t *testing.T) {
	t.Parallel()
	m := box(t)
	write(t, m, dovecot, strings.Repeat("x\n", 2<<20+1))
	if _, err := subscription.Read(m); err == nil {
		t.Error("read")
	}
	if err := subscription.Set(m, "a", true); err == nil {
		t.Error("set")
	}
}

func TestConcurrentSetsLoseNothing(t *testing.T) {
	t.Parallel()
	m := box(t)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 10 {
				if err := subscription.Set(m, fmt.Sprintf("f%d.%d", w, i), true); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if names, err := subscription.Read(m); err != nil || len(names) != 40 {
		t.Errorf("%d names, %v", len(names), err)
	}
}

func TestSubscriptionsSurviveEveryPowerCut(t *testing.T) {
	t.Parallel()
	made := box(t)
	write(t, made, courier, "INBOX.old\n")
	r := disktest.Record(t, filepath.Dir(made.Path()))
	m, err := maildir.Open(made.Path(), r)
	must(t, err)
	defer m.Close()
	for _, name := range []string{"a", "b"} {
		must(t, subscription.Set(m, name, true))
		r.Ack(name)
	}
	n := disktest.Judge(t, r.Trace(), func(w *disktest.World, root string) error {
		m, err := maildir.Open(filepath.Join(root, "Maildir"), disktest.Fast)
		if err != nil {
			return err
		}
		defer m.Close()
		names, err := subscription.Read(m)
		if err != nil {
			return err
		}
		for _, name := range append(w.Acks(), "old") {
			if !slices.Contains(names, name) {
				return fmt.Errorf("%s is not among %q", name, names)
			}
		}
		return nil
	})
	if n < 10 {
		t.Errorf("only %d worlds", n)
	}
}

// FuzzRead: every name that is read can be a folder's, can be taken off, which takes
// off no other, and put on again.
func FuzzRead(f *testing.F) {
	f.Add("V\t2\n\nINBOX\nLists\tgolang\na\x01tb\nEntw&APw-rfe")
	f.Add("INBOX\nLists.golang\n\nü\n")
	m, err := maildir.Create(filepath.Join(disktest.Memory(f), "Maildir"), disktest.Fast)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		write(t, m, dovecot, text)
		names, err := subscription.Read(m)
		must(t, err)
		if len(names) == 0 {
			return
		}
		first := names[0]
		if err := maildir.CheckFolderName(first); err != nil && first != "INBOX" {
			t.Fatal(err)
		}
		for _, on := range []bool{false, true} {
			must(t, subscription.Set(m, first, on))
			want := slices.Clone(names[1:])
			if on {
				want = append(want, first)
			}
			if got, err := subscription.Read(m); err != nil || !slices.Equal(got, want) {
				t.Fatalf("%q from %q, on %t: %q, %v", first, names, on, got, err)
			}
		}
	})
}
