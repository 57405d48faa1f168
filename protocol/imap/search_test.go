package imap

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
)

// show writes a tree as a search key that is read as the same tree.
func (k SearchKey) show() string {
	switch k.Op {
	case SearchAnd, SearchOr:
		text := ""
		for i, sub := range k.Keys {
			s := sub.show()
			if sub.Op == SearchOr {
				s = "(" + s + ")" // so that it is not taken for one OR with the outer one
			}
			switch {
			case i == 0:
				text = s
			case k.Op == SearchAnd:
				text += " " + s
			default:
				text = "OR " + text + " " + s
			}
		}
		if k.Op == SearchAnd {
			return "(" + text + ")"
		}
		return text
	case SearchNot:
		return "NOT " + k.Keys[0].show()
	case SearchSeq:
		return k.Set.String()
	case SearchUID:
		return "UID " + k.Set.String()
	}
	for _, row := range searchKeys {
		if row.key.Op != k.Op || row.key.Clock != k.Clock {
			continue
		}
		if row.read == nil && (row.key.Flag == k.Flag) {
			return row.name
		}
		if s, ok := showArg(row, k); ok {
			return row.name + s
		}
	}
	panic(fmt.Sprintf("no key for %+v", k))
}

func showArg(row searchKey, k SearchKey) (string, bool) {
	switch {
	case k.Op == SearchFlag || k.Op == SearchNoFlag:
		return " " + string(k.Flag), row.read != nil && !k.Flag.IsSystem()
	case row.name == "HEADER":
		field := k.Field
		if strings.Trim(field, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-") != "" || field == "" {
			field = quote(field)
		}
		return " " + field + " " + quote(k.Text), true
	case k.Op >= SearchAddress && k.Op <= SearchText:
		return " " + quote(k.Text), row.key.Field == k.Field
	case k.Op == SearchEmailID || k.Op == SearchThreadID:
		return " " + k.Text, true
	case k.Op >= SearchBefore && k.Op <= SearchSince:
		return fmt.Sprintf(" %d-%s-%04d", k.Date.Day, k.Date.Month.String()[:3], k.Date.Year), true
	}
	return fmt.Sprintf(" %d", k.Number), true
}

// quote writes a string as a literal, which can be sent without waiting.
func quote(s string) string { return fmt.Sprintf("{%d+}\r\n%s", len(s), s) }

func parseSearch(args string) (Search, error) {
	w := newWire("a SEARCH "+args+"\r\n", AfterLogin)
	w.Next()
	return ParseSearch(w.Decoder)
}

func TestSearchKeys(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"everything", "ALL", "ALL"},
		// RFC 9051 section 6.4.4: multiple keys mean the AND of them.
		{"two keys", "SEEN DELETED", "(SEEN DELETED)"},
		{"parentheses around one", "((SEEN))", "SEEN"},
		{"NOT", "NOT SEEN", "NOT SEEN"},
		{"OR", "OR SEEN DRAFT", "OR SEEN DRAFT"},
		{"OR nested to the right", "OR SEEN OR DRAFT OLD", "OR OR SEEN DRAFT OLD"},
		{"OR nested to the left", "OR OR SEEN DRAFT OLD", "OR OR SEEN DRAFT OLD"},
		{"OR and a key behind it", "OR SEEN DRAFT OLD", "(OR SEEN DRAFT) OLD"},
		{"OR of a group", "OR (SEEN DRAFT) OLD", "OR (SEEN DRAFT) OLD"},
		{"of NOT", "OR NOT SEEN NOT OR DRAFT OLD", "OR NOT SEEN NOT OR DRAFT OLD"},
		{"NEW is recent and not seen", "NEW", "(RECENT UNSEEN)"},
		{"a sequence set", "1:3,5", "1:3,5"},
		{"star", "*", "*"},
		{"the saved result", "$", "$"},
		{"UIDs", "UID 1:*", "UID 1:*"},
		{"UIDs of the saved result", "UID $", "UID $"},
		{"keyword", "KEYWORD $Forwarded UNKEYWORD x", "(KEYWORD $Forwarded UNKEYWORD x)"},
		{"text", `FROM "a b" SUBJECT ""`, "(FROM {3+}\r\na b SUBJECT {0+}\r\n)"},
		{"header", "HEADER Message-ID <a@b>", "HEADER Message-ID {5+}\r\n<a@b>"},
		{"a name that no field has", `HEADER "a b" c`, "HEADER {3+}\r\na b {1+}\r\nc"},
		{"sizes", "LARGER 0 SMALLER 9223372036854775807", "(LARGER 0 SMALLER 9223372036854775807)"},
		{"a size of 2^63", "SMALLER 9223372036854775808", ""},
		{"dates", `SINCE 1-Feb-1994 SENTON "01-feb-1994"`, "(SINCE 1-Feb-1994 SENTON 1-Feb-1994)"},
		{"no such day", "ON 31-Feb-1994", ""},
		{"a date without its quote", `ON "1-Feb-1994`, ""},
		{"WITHIN", "YOUNGER 3600 OLDER 60", "(YOUNGER 3600 OLDER 60)"},
		// RFC 5032 section 3: interval is nz-number.
		{"YOUNGER 0", "YOUNGER 0", ""},
		{"MODSEQ", "MODSEQ 620162338", "MODSEQ 620162338"},
		{"MODSEQ 0", "MODSEQ 0", "MODSEQ 0"},
		{"MODSEQ of an entry", `MODSEQ "/flags/\\draft" all 620162338`, "MODSEQ 620162338"},
		{"MODSEQ of something else", `MODSEQ "/x" all 1`, ""},
		{"MODSEQ without a type", `MODSEQ "/flags/x" 1`, ""},
		{"ids", "EMAILID M6d99ac3275bb4e THREADID T_-9", "(EMAILID M6d99ac3275bb4e THREADID T_-9)"},
		{"no id", "EMAILID a.b", ""},
		{"save dates", "SAVEDSINCE 1-Jan-2026 SAVEDATESUPPORTED", "(SAVEDSINCE 1-Jan-2026 SAVEDATESUPPORTED)"},
		{"no key", "", ""},
		{"an unknown key", "FOO", ""},
		{"half an OR", "OR SEEN", ""},
		{"OR of nothing", "OR", ""},
		{"NOT of nothing", "NOT", ""},
		{"an empty group", "()", ""},
		{"a keyword in quotes", `KEYWORD "x"`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := parseSearch(tt.in)
			if err != nil {
				if tt.want != "" {
					t.Error(err)
				}
				return
			}
			got := s.Key.show()
			if tt.name == "OR and a key behind it" {
				got = strings.TrimSuffix(strings.TrimPrefix(got, "("), ")")
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSearchReturnAndCharset(t *testing.T) {
	for _, tt := range []struct {
		in       string
		extended bool
		ret      SearchReturn
		page     Page
		charset  string
		ok       bool
	}{
		{"ALL", false, 0, Page{}, "", true},
		{"charset utf-8 ALL", false, 0, Page{}, "UTF-8", true},
		{`CHARSET "x" ALL`, false, 0, Page{}, "X", true},
		// RFC 9051 section 6.4.4: an empty list means ALL.
		{"RETURN () ALL", true, ReturnAll, Page{}, "", true},
		{"return (min Max COUNT) ALL", true, ReturnMin | ReturnMax | ReturnCount, Page{}, "", true},
		{"RETURN (SAVE) CHARSET UTF-8 ALL", true, ReturnSave, Page{}, "UTF-8", true},
		{"RETURN (PARTIAL 5:1 COUNT) ALL", true, ReturnPartial | ReturnCount, Page{1, 5}, "", true},
		{"RETURN (PARTIAL 1:5 ALL) ALL", false, 0, Page{}, "", false},
		{"RETURN (PARTIAL 1:5 PARTIAL 1:5) ALL", false, 0, Page{}, "", false},
		{"RETURN (PARTIAL) ALL", false, 0, Page{}, "", false},
		{"RETURN (FOO) ALL", false, 0, Page{}, "", false},
		{"RETURN ALL", false, 0, Page{}, "", false},
		{"CHARSET UTF-8 RETURN () ALL", false, 0, Page{}, "", false},
		{"CHARSET UTF-8", false, 0, Page{}, "", false},
	} {
		s, err := parseSearch(tt.in)
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.in, err)
		}
		if err == nil && (s.Extended != tt.extended || s.Return != tt.ret || s.Page != tt.page || s.Charset != tt.charset) {
			t.Errorf("%s: %+v", tt.in, s)
		}
	}
}

func TestI19SearchIsBounded(t *testing.T) {
	ors := func(n int) string { return strings.Repeat("OR ALL ", n) + "ALL" }
	runTranscripts(t, AfterLogin, []transcriptTest{
		{"10^5 ORs nested", "a SEARCH " + ors(100000) + "\r\n" + next, "BYE"},
		{"more ORs than arguments", "a SEARCH " + ors(5000) + "\r\n" + next, "a BAD LIMIT, z NOOP"},
		{"ORs alone", "a SEARCH " + strings.Repeat("OR ", 20000) + "ALL\r\n" + next, "a BAD LIMIT, z NOOP"},
		// What clients make of a long list of addresses, on either side.
		{"4,000 ORs to the right", "a SEARCH " + ors(4000) + "\r\n" + next, "a SEARCH, z NOOP"},
		{"4,000 ORs to the left", "a SEARCH " + strings.Repeat("OR ", 4000) + strings.Repeat("ALL ", 4000) + "ALL\r\n" + next, "a SEARCH, z NOOP"},
		{"ORs within parentheses", "a SEARCH " + strings.Repeat("OR (", 33) + "ALL\r\n" + next, "a BAD LIMIT, z NOOP"},
		{"NOTs and ORs by turns", "a SEARCH " + strings.Repeat("NOT OR ", 33) + "ALL\r\n" + next, "a BAD LIMIT, z NOOP"},
		{"a keyword of 10 KB", "a SEARCH KEYWORD " + strings.Repeat("k", 10240) + "\r\n" + next, "a SEARCH, z NOOP"},
		{"a text of 10 GB", "a SEARCH TEXT {10737418240}\r\n" + next, "a BAD TOOBIG, z NOOP"},
		{"a charset that nobody knows", "a SEARCH CHARSET x-none ALL\r\n" + next, "a SEARCH, z NOOP"}, // NO, says the session
	})
}

func TestSortAndThreadArguments(t *testing.T) {
	for in, want := range map[string]string{
		"(SUBJECT) UTF-8 ALL":                            "[{5 false}] UTF-8",
		"(REVERSE DATE subject Reverse date) us-ascii 1": "[{2 true} {5 false}] US-ASCII",
		"(DISPLAYFROM DISPLAYTO) UTF-8 ALL":              "[{7 false} {8 false}] UTF-8",
		"RETURN (COUNT) (ARRIVAL) UTF-8 ALL":             "[{0 false}] UTF-8",
		"(REVERSE) UTF-8 ALL":                            "",
		"(FOO) UTF-8 ALL":                                "",
		"() UTF-8 ALL":                                   "",
		"(DATE) ALL":                                     "",
		"(DATE) UTF-8":                                   "",
	} {
		w := newWire("a SORT "+in+"\r\n", AfterLogin)
		w.Next()
		s, err := ParseSort(w.Decoder)
		got := fmt.Sprint(s.Criteria, " ", s.Search.Charset)
		if err != nil {
			got = ""
		}
		if got != want {
			t.Errorf("SORT %s: %s, %v", in, got, err)
		}
	}
	w := newWire("a THREAD references UTF-8 SEEN\r\n", AfterLogin)
	w.Next()
	if th, err := ParseThread(w.Decoder); err != nil || th.Algorithm != "REFERENCES" || th.Search.Key.show() != "SEEN" {
		t.Error(th, err)
	}
}

// FuzzSearch: a tree is within the limits, and written out it is read as the same.
func FuzzSearch(f *testing.F) {
	for _, s := range []string{"ALL", "OR OR SEEN (1:* DRAFT) NOT NOT NEW", `HEADER a "b" SINCE 1-Jan-2026`, "UID $ BODY {1+}\r\nx",
		`MODSEQ "/flags/x" all 5 EMAILID a`, "(((OR ALL ALL)))", "RETURN (MIN PARTIAL 1:2) CHARSET x KEYWORD y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, args string) {
		s, err := parseSearch(args)
		if err != nil {
			return
		}
		keys, depth := measure(s.Key)
		if keys > AfterLogin.Args || depth > 2*AfterLogin.Depth+2 {
			t.Fatalf("%q: %d keys, %d deep", args, keys, depth)
		}
		lim := AfterLogin
		lim.Literal, lim.Args, lim.Depth = math.MaxInt32, math.MaxInt, 3*lim.Depth
		w := newWire("a SEARCH "+s.Key.show()+"\r\n", lim)
		w.Next()
		again, err := ParseSearch(w.Decoder)
		if err != nil || !reflect.DeepEqual(again.Key, s.Key) {
			t.Fatalf("%q is\n%q, then\n%q, %v", args, s.Key.show(), again.Key.show(), err)
		}
	})
}

func measure(k SearchKey) (keys, depth int) {
	keys = 1
	for _, sub := range k.Keys {
		n, d := measure(sub)
		keys, depth = keys+n, max(depth, d)
	}
	return keys, depth + 1
}
