package imaptest

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// A judge that accepts everything would prove nothing.
func TestReaderIsStrict(t *testing.T) {
	for name, text := range map[string]string{
		"bare LF":                      "* OK done\n",
		"CR within a line":             "* OK do\rne\r\n",
		"NUL":                          "* OK do\x00ne\r\n",
		"no tag":                       " OK done\r\n",
		"empty text":                   "a OK \r\n",
		"no text behind a code":        "a OK [READ-ONLY]\r\n",
		"open code":                    "a OK [UIDNEXT 3 done\r\n",
		"tagged data":                  "a LIST () NIL x\r\n",
		"open list":                    "* FLAGS (\\Seen\r\n",
		"two spaces":                   "* LIST ()  NIL x\r\n",
		"space at the end":             "* SEARCH 1 2 \r\n",
		"string that does not end":     "* LIST () NIL \"x\r\n",
		"odd escape":                   "* LIST () NIL \"\\x\"\r\n",
		"short literal":                "* 1 FETCH (BODY[] {10}\r\nabc)\r\n",
		"long literal":                 "* 1 FETCH (BODY[] {1}\r\nabc)\r\n",
		"NUL in a literal":             "* 1 FETCH (BODY[] {1}\r\n\x00)\r\n",
		"number with a leading zero":   "* 01 EXISTS\r\n",
		"number beyond 32 bits":        "* 4294967296 EXISTS\r\n",
		"line that is cut":             "* OK don",
		"atoms in a list, not divided": "* FLAGS (\\Seen\\Deleted)\r\n",
	} {
		if r, err := NewReader(strings.NewReader(text)).Next(); err == nil || err == io.EOF {
			t.Errorf("%s: accepted %+v", name, r)
		}
	}
}

func TestReaderReads(t *testing.T) {
	const text = "* PREAUTH [CAPABILITY IMAP4rev1 AUTH=PLAIN] hello\r\n" +
		"* 3 FETCH (UID 7 FLAGS (\\Seen $x) BODY[HEADER.FIELDS (\"a]b\")]<3> {4}\r\n(\"\r\n BODY ((\"a\" NIL)(\"b\" \"\\\"\") \"mixed\") BINARY[1] ~{1}\r\n\x00)\r\n" +
		"* SEARCH\r\n* THREAD (1)(2 (3)(4))\r\n* ESEARCH (TAG \"a\") ALL 1:3\r\n* OK [PERMANENTFLAGS (\\Seen \\*)] x\r\n+ go on\r\na NO no\r\n"
	r := NewReader(strings.NewReader(text))
	var got []string
	for {
		resp, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %d %s %s%v %q %v", resp.Tag, resp.Number, resp.Name, resp.Code, resp.CodeOf, resp.Text, resp.Args))
	}
	want := []string{
		`* 0 PREAUTH CAPABILITY[{0 IMAP4rev1 []} {0 AUTH=PLAIN []}] "hello" []`,
		"* 3 FETCH [] \"\" [{2  [{0 UID []} {0 7 []} {0 FLAGS []} {2  [{0 \\Seen []} {0 $x []}]} {0 BODY[HEADER.FIELDS (a]b)]<3> []} {1 (\"\r\n []} " +
			`{0 BODY []} {2  [{2  [{1 a []} {0 NIL []}]} {2  [{1 b []} {1 " []}]} {1 mixed []}]} {0 BINARY[1] []} {1 ` + "\x00" + ` []}]}]`,
		`* 0 SEARCH [] "" []`,
		`* 0 THREAD [] "" [{2  [{0 1 []}]} {2  [{0 2 []} {2  [{0 3 []}]} {2  [{0 4 []}]}]}]`,
		`* 0 ESEARCH [] "" [{2  [{0 TAG []} {1 a []}]} {0 ALL []} {0 1:3 []}]`,
		`* 0 OK PERMANENTFLAGS[{2  [{0 \Seen []} {0 \* []}]}] "x" []`,
		`+ 0  [] "go on" []`,
		`a 0 NO [] "no" []`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
