package main

import (
	"fmt"
	"strconv"
	"strings"

	"rohrpost/cmd/internal/frame"
	"rohrpost/maildir/queue"
)

// selected is the entries that a person named, in the order of the queue, or
// all. A name that fits nothing is an error, and so is the beginning of several
// IDs: nothing happens to what was not meant.
func (d *desk) selected(args []string, all bool) ([]queue.Entry, error) {
	listing, err := d.q.Scan()
	if err != nil {
		return nil, fmt.Errorf("read the queue: %w", err)
	}
	if all {
		return listing.Entries, nil
	}
	wanted := make([]bool, len(listing.Entries))
	for _, arg := range args {
		if err := mark(wanted, listing.Entries, arg); err != nil {
			return nil, err
		}
	}
	var entries []queue.Entry
	for i, e := range listing.Entries {
		if wanted[i] {
			entries = append(entries, e)
		}
	}
	return entries, nil
}

// mark marks the entries that one argument names.
func mark(wanted []bool, entries []queue.Entry, arg string) error {
	if domain, ok := strings.CutPrefix(arg, "@"); ok {
		return markIf(wanted, arg, func(i int) bool { return strings.EqualFold(entries[i].Domain, domain) })
	}
	id, number, err := cutNumber(arg)
	if err != nil {
		return err
	}
	if id, err = complete(entries, id); err != nil {
		return err
	}
	return markIf(wanted, arg, func(i int) bool {
		return entries[i].ID == id && (number == 0 || entries[i].R == number)
	})
}

func markIf(wanted []bool, arg string, fits func(int) bool) error {
	any := false
	for i := range wanted {
		if fits(i) {
			wanted[i], any = true, true
		}
	}
	if !any {
		return frame.Fail(fmt.Errorf("nothing in the queue is %q; see 'rohrpost queue list'", arg))
	}
	return nil
}

// cutNumber splits ID/N; N is 0 if it is not there.
func cutNumber(arg string) (id string, number int, err error) {
	id, n, ok := strings.Cut(arg, "/")
	if ok {
		number, err = strconv.Atoi(n)
	}
	if id == "" || err != nil || ok && number < 1 {
		return "", 0, frame.Usage(fmt.Errorf("%q is not ID, ID/N or @DOMAIN", arg))
	}
	return id, number, nil
}

// complete is the one ID that begins so, or that is exactly so.
func complete(entries []queue.Entry, prefix string) (string, error) {
	found := ""
	for _, e := range entries {
		switch {
		case e.ID == prefix:
			return prefix, nil
		case !strings.HasPrefix(e.ID, prefix) || e.ID == found:
		case found != "":
			return "", frame.Fail(fmt.Errorf("%q is the beginning of several IDs (%s, %s); give more of it", prefix, found, e.ID))
		default:
			found = e.ID
		}
	}
	if found == "" {
		return "", frame.Fail(fmt.Errorf("nothing in the queue begins with %q; see 'rohrpost queue list'", prefix))
	}
	return found, nil
}
