// Goimap is a session of go-imap's client, which tells what it finds as script() in
// process.go wants it: goimap ADDRESS USER PASSWORD DIR. Messages read go to DIR.
//
// It is a module of its own: rohrpost does not need the client.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, "goimap:", err)
		os.Exit(1)
	}
}

func check(what string, got, want any) {
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		fmt.Printf("not ok %s: %q, should be %q\n", what, g, w)
		return
	}
	fmt.Printf("ok %s\n", what)
}

func run(addr, user, password, dir string) error {
	count := make(chan uint32, 10)
	news := imapclient.UnilateralDataHandler{Mailbox: func(d *imapclient.UnilateralDataMailbox) {
		if d.NumMessages != nil {
			count <- *d.NumMessages
		}
	}}
	c, err := imapclient.DialInsecure(addr, &imapclient.Options{UnilateralDataHandler: &news})
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Login(user, password).Wait(); err != nil {
		return err
	}
	if err := lists(c); err != nil {
		return err
	}
	if _, err := c.Select("INBOX", &imap.SelectOptions{CondStore: true}).Wait(); err != nil {
		return err
	}
	for _, step := range []func(*imapclient.Client) error{reads(dir), searches, changes, appends} {
		if err := step(c); err != nil {
			return err
		}
	}
	if err := idles(c, count); err != nil {
		return err
	}
	return c.Logout().Wait()
}

// lists asks for a listing with the status of each mailbox, and after ENABLE for names
// in UTF-8.
func lists(c *imapclient.Client) error {
	status := &imap.StatusOptions{NumMessages: true, Size: true, UIDNext: true, HighestModSeq: true}
	for _, enabled := range []bool{false, true} {
		if enabled {
			if _, err := c.Enable(imap.CapIMAP4rev2).Wait(); err != nil {
				return err
			}
		}
		list, err := c.List("", "*", &imap.ListOptions{ReturnStatus: status, ReturnSpecialUse: true}).Collect()
		if err != nil {
			return err
		}
		var lines []string
		for _, l := range list {
			if l.Status == nil || l.Status.NumMessages == nil || l.Status.Size == nil {
				return fmt.Errorf("no status of %s", l.Mailbox)
			}
			lines = append(lines, fmt.Sprint(l.Mailbox, *l.Status.NumMessages, *l.Status.Size > 0, l.Status.UIDNext))
		}
		slices.Sort(lines)
		check(fmt.Sprintf("lists with status (IMAP4rev2 enabled: %v)", enabled), lines,
			[]string{"Archive0 false 1", "Entwürfe0 false 1", "INBOX19 true 20"})
	}
	return nil
}

// reads fetches all messages at once, each in two sections and in pieces.
func reads(dir string) func(*imapclient.Client) error {
	return func(c *imapclient.Client) error {
		head := &imap.FetchItemBodySection{Specifier: imap.PartSpecifierHeader, Peek: true}
		text := &imap.FetchItemBodySection{Specifier: imap.PartSpecifierText, Peek: true}
		piece := &imap.FetchItemBodySection{Peek: true, Partial: &imap.SectionPartial{Offset: 10, Size: 20}}
		list, err := c.Fetch(imap.UIDSet{imap.UIDRange{Start: 1}}, &imap.FetchOptions{
			UID: true, RFC822Size: true, Envelope: true, InternalDate: true, ModSeq: true,
			BodyStructure: &imap.FetchItemBodyStructure{Extended: true},
			BodySection:   []*imap.FetchItemBodySection{head, text, piece},
		}).Collect()
		if err != nil {
			return err
		}
		for _, m := range list {
			whole := string(m.FindBodySection(head)) + string(m.FindBodySection(text))
			if int64(len(whole)) != m.RFC822Size || whole[10:30] != string(m.FindBodySection(piece)) {
				check(fmt.Sprintf("reads message %d in pieces", m.UID), string(m.FindBodySection(piece)), whole[10:30])
			}
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(m.UID)), []byte(whole), 0o600); err != nil {
				return err
			}
		}
		check("reads a structure", list[17].BodyStructure.MediaType(), "multipart/mixed")
		return binary(c)
	}
}

// binary fetches a part without its base64.
func binary(c *imapclient.Client) error {
	part := &imap.FetchItemBinarySection{Part: []int{2}, Peek: true}
	list, err := c.Fetch(imap.UIDSetNum(18), &imap.FetchOptions{BinarySection: []*imap.FetchItemBinarySection{part}}).Collect()
	if err != nil {
		return err
	}
	if len(list) != 1 {
		return errors.New("no answer to BINARY")
	}
	got := list[0].FindBinarySection(part)
	check("reads a part by BINARY", len(got) == 1024 && got[0] == 0 && got[255] == 255, true)
	return nil
}

func searches(c *imapclient.Client) error {
	found, err := c.UIDSearch(&imap.SearchCriteria{
		Body: []string{"grüße"}, NotFlag: []imap.Flag{imap.FlagSeen}, Since: time.Now().AddDate(0, 0, -2),
	}, &imap.SearchOptions{ReturnAll: true, ReturnCount: true, ReturnMin: true}).Wait()
	if err != nil {
		return err
	}
	check("searches by ESEARCH", fmt.Sprintf("%v %d %d", found.All, found.Count, found.Min), "7:8 2 7")
	order, err := c.UIDSort(&imapclient.SortOptions{
		SearchCriteria: &imap.SearchCriteria{UID: []imap.UIDSet{{imap.UIDRange{Start: 1, Stop: 4}}}},
		SortCriteria:   []imapclient.SortCriterion{{Key: imapclient.SortKeySubject, Reverse: true}},
	}).Wait()
	if err != nil {
		return err
	}
	check("sorts", order, []uint32{1, 2, 4, 3}) // plain, empty body, dots, blank lines
	return nil
}

func changes(c *imapclient.Client) error {
	flags := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagFlagged, imap.FlagForwarded}}
	stored, err := c.Store(imap.UIDSetNum(4), flags, nil).Collect()
	if err != nil {
		return err
	}
	check("hears of flags", len(stored) == 1 && slices.Contains(stored[0].Flags, imap.FlagForwarded), true)
	moved, err := c.Move(imap.UIDSetNum(2), "Archive").Wait()
	if err != nil {
		return err
	}
	check("moves", fmt.Sprintf("%v to %v", moved.SourceUIDs, moved.DestUIDs), "2 to 1")
	flags = &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}
	if err := c.Store(imap.UIDSetNum(3, 5), flags, nil).Close(); err != nil {
		return err
	}
	expunged, err := c.UIDExpunge(imap.UIDSetNum(3)).Collect()
	if err != nil {
		return err
	}
	check("expunges one of two", expunged, []uint32{2})
	return nil
}

func appends(c *imapclient.Client) error {
	const text = "Subject: saved by goimap\r\n\r\nsaved\r\n"
	cmd := c.Append("Entwürfe", int64(len(text)), &imap.AppendOptions{Flags: []imap.Flag{imap.FlagDraft}, Time: time.Unix(1136214245, 0)})
	if _, err := cmd.Write([]byte(text)); err != nil {
		return err
	}
	if err := cmd.Close(); err != nil {
		return err
	}
	data, err := cmd.Wait()
	if err != nil {
		return err
	}
	check("appends", data.UID, 1)
	return nil
}

func idles(c *imapclient.Client, count chan uint32) error {
	for len(count) > 0 {
		<-count
	}
	idle, err := c.Idle()
	if err != nil {
		return err
	}
	fmt.Println("deliver comes while idle")
	select {
	case n := <-count:
		check("hears of a delivery", n, 18)
	case <-time.After(20 * time.Second):
		check("hears of a delivery", "nothing", 18)
	}
	if err := idle.Close(); err != nil {
		return err
	}
	return idle.Wait()
}
