package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rohrpost/scripts/interop/corpus"
)

// Both are asked the same of one Maildir, by EXAMINE, and their answers are compared.
// What is one and the same by the RFCs is made the same first (sameness in answer.go);
// what else differs must be in judged, with the reason.

// asked are the commands; %s is each of the items.
var asked = []struct {
	command string
	items   []string
}{
	{"UID FETCH 1:* (UID %s)", []string{
		"FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY", "BODYSTRUCTURE",
		"BODY.PEEK[]", "BODY.PEEK[HEADER]", "BODY.PEEK[TEXT]", "BODY.PEEK[]<10.30>", "BODY.PEEK[TEXT]<100000.10>",
		"BODY.PEEK[HEADER.FIELDS (SUBJECT X-TAB TO)]", "BODY.PEEK[HEADER.FIELDS.NOT (SUBJECT RECEIVED)]",
		"BODY.PEEK[1]", "BODY.PEEK[2]", "BODY.PEEK[3]", "BODY.PEEK[1.MIME]", "BODY.PEEK[2.MIME]", "BODY.PEEK[2.HEADER]", "BODY.PEEK[2.TEXT]",
		"BINARY.PEEK[1]", "BINARY.PEEK[2]", "BINARY.SIZE[1]", "BINARY.SIZE[2]",
	}},
	{"UID SEARCH %s", []string{
		"ALL", "SEEN", "UNSEEN", "1:5,*", "UID 3:7", "NOT 1:5", "OR SEEN 1", "LARGER 500", "SMALLER 500", "KEYWORD Work", "UNKEYWORD Work",
		"BEFORE 15-Feb-2006", "SINCE 15-Feb-2006", "ON 5-Jan-2006", "SENTBEFORE 2-Jan-2006", "SENTSINCE 2-Jan-2006", "SENTON 2-Jan-2006",
		"FROM friend", "TO me@", "CC x", "BCC x", "SUBJECT plain", `SUBJECT ""`, "HEADER X-Tab value", `HEADER X-Empty ""`, `HEADER X-None ""`,
		"HEADER Message-ID client", `BODY "after a blank"`, `BODY "BLANK LINE"`, "TEXT mime-version", `BODY ""`, "TEXT first",
		`CHARSET UTF-8 SUBJECT "grüße"`, `CHARSET UTF-8 BODY "GRÜSSE"`, `CHARSET UTF-8 BODY "Grüße"`, `CHARSET UTF-8 TEXT "привет"`, `CHARSET UTF-8 SUBJECT "日本"`,
		"CHARSET X-NONE ALL", "OLDER 10", "YOUNGER 1000000000", "RETURN (MIN MAX COUNT) UNSEEN", "RETURN (ALL) SMALLER 400", "RETURN () SUBJECT no-such-word",
	}},
	{"UID SORT (%s) UTF-8 ALL", []string{"ARRIVAL", "DATE", "SUBJECT", "FROM", "TO", "CC", "SIZE", "REVERSE SUBJECT", "REVERSE SIZE FROM", "DISPLAYFROM", "DISPLAYTO"}},
	{"UID THREAD %s UTF-8 ALL", []string{"REFERENCES", "ORDEREDSUBJECT"}},
	{"LIST %s", []string{
		`"" *`, `"" %`, `"" ""`, `"" inbox`, `"Sub." %`, `"" Sub.%`, `"" a%`, `"" "Entw*"`, `"Sub" *`, `foo *`, `"" nothing`, `"" (Sub INBOX)`,
		`"" * RETURN (SUBSCRIBED)`, `(SUBSCRIBED) "" *`, `(SUBSCRIBED RECURSIVEMATCH) "" %`, `"" * RETURN (STATUS (MESSAGES UIDNEXT UNSEEN))`,
	}},
	{"LSUB %s", []string{`"" *`, `"" %`}},
	{"STATUS %s", []string{"INBOX (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)", "Sub.A (MESSAGES SIZE)", "nothing (MESSAGES)"}},
}

// judged are the differences where both may answer as they do, or Dovecot is wrong.
var judged = []struct{ command, mail, why string }{
	{"UID FETCH 1:* (UID ENVELOPE)", "folded header", "unfolding takes the CRLF away, not the tab behind it (RFC 5322 section 2.2.3)"},
	{"UID FETCH 1:* (UID ENVELOPE)", "two subjects", "there may be one (RFC 5322 section 3.6); Dovecot takes the last, we the first"},
	{"UID FETCH 1:* (UID BODY", "nested", "the CRLF before a delimiter is the delimiter's, also behind an inner end (RFC 2046 section 5.1.1)"},
	{"UID FETCH 1:* (UID BINARY", "nested", "Dovecot decodes the leaves of a multipart, whose own encoding is all that is asked (RFC 3516 section 4.2)"},
	{"UID FETCH 1:* (UID BINARY", "uuencoded", "Dovecot sends a FETCH response without the item that it then refuses"},
	{"UID SEARCH SENTBEFORE", "", "without a Date line there is no date that is earlier (RFC 9051 section 6.4.4); Dovecot takes 1970"},
}

// answers compares the two over our own mail, and then over that below mails, which
// only people can judge.
func (h *host) answers(mails string) error {
	own := append(corpus.Messages("both", "friend@example.net", "me@example.org"), odd...)
	names, err := h.shelve(own, mails)
	if err != nil {
		return err
	}
	theirs, err := h.session()
	if err != nil {
		return err
	}
	defer theirs.close()
	if _, err := theirs.do("SELECT INBOX"); err != nil { // gives the UIDs
		return err
	}
	ours, err := h.imapd()
	if err != nil {
		return err
	}
	defer ours.close()
	for _, s := range []*session{theirs, ours} {
		if _, err := s.do("EXAMINE INBOX"); err != nil {
			return err
		}
	}
	total := 0
	for _, a := range asked {
		for _, item := range a.items {
			command := fmt.Sprintf(a.command, item)
			n, err := h.compareAnswers(theirs, ours, command, names, len(own))
			if err != nil {
				return err
			}
			total += n
		}
	}
	fmt.Printf("%d answers compared\n", total)
	return nil
}

// compareAnswers asks one thing of both.
func (h *host) compareAnswers(theirs, ours *session, command string, names []string, own int) (n int, err error) {
	a, err := theirs.ask(command)
	if err != nil {
		return 0, err
	}
	b, err := ours.ask(command)
	if err != nil {
		return 0, err
	}
	for _, key := range both(a, b) {
		n++
		if a[key] == b[key] {
			continue
		}
		uid, mail := uint32(0), ""
		if _, err := fmt.Sscanf(key, "FETCH %d", &uid); err == nil && int(uid) <= len(names) {
			mail = names[uid-1]
		}
		text := fmt.Sprintf("%s %s: dovecot and we say\n    %s\n    %s", command, mail, around(a[key], b[key]), around(b[key], a[key]))
		switch {
		case int(uid) > own || len(names) > own && uid == 0:
			fmt.Println("DIFF", text)
		case !isJudged(command, mail):
			h.told.complain("%s", text)
		}
	}
	return n, nil
}

func isJudged(command, mail string) bool {
	return slices.ContainsFunc(judged, func(j struct{ command, mail, why string }) bool {
		return strings.HasPrefix(command, j.command) && (j.mail == "" || j.mail == mail)
	})
}

// around is the part of a that differs from b.
func around(a, b string) string {
	at := 0
	for at < len(a) && at < len(b) && a[at] == b[at] {
		at++
	}
	from := max(at-60, 0)
	return fmt.Sprintf("…%.200s", a[from:])
}

// shelve fills the Maildir, message by message a day apart, and says their names by UID.
func (h *host) shelve(own []corpus.Message, mails string) (names []string, err error) {
	list := slices.Clone(own)
	if mails != "" {
		err = filepath.WalkDir(mails, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".eml") {
				return err
			}
			text, err := os.ReadFile(path)
			list = append(list, corpus.Message{Name: d.Name(), Text: text})
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	for _, folder := range []string{"", ".Sub", ".Sub.A", ".Entw&APw-rfe", ".foo"} {
		for _, d := range []string{"tmp", "new", "cur"} {
			if err := os.MkdirAll(filepath.Join(h.dir, "Maildir", folder, d), 0o700); err != nil {
				return nil, err
			}
		}
	}
	for i, m := range list {
		when := time.Unix(1136214245+int64(i)*24*60*60, 0)
		path := filepath.Join(h.dir, "Maildir", "cur", fmt.Sprintf("%d.M%dP1.host:2,%s", when.Unix(), i, []string{"", "S", "", "FS"}[i%4]))
		if err := os.WriteFile(path, m.Text, 0o600); err != nil {
			return nil, err
		}
		if err := os.Chtimes(path, when, when); err != nil {
			return nil, err
		}
		names = append(names, m.Name)
	}
	subscribed := "V\t2\n\nSub\nfoo\ngone\n"
	return names, os.WriteFile(filepath.Join(h.dir, "Maildir", "subscriptions"), []byte(subscribed), 0o600)
}

// both are the keys of two maps, sorted.
func both(a, b map[string]string) []string {
	var keys []string
	for _, m := range []map[string]string{a, b} {
		for k := range m {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
