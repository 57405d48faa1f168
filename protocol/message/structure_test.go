package message

import (
	"strconv"
	"strings"
	"testing"
)

func TestStructure(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, msg, want string }{
		{"RFC 2045 section 5.2: the default is US-ASCII text", "\nhello\n", `("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 7 1 NIL NIL NIL NIL)`},
		{"text without parameters has none of ours", "Content-Type: text/plain\n\n", `("text" "plain" NIL NIL NIL "7bit" 0 0 NIL NIL NIL NIL)`},
		{"sizes are octets on the wire", "\na\nb\r\nc", `("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 7 2 NIL NIL NIL NIL)`},
		{"words are as sent", "Content-Type: IMAGE/Png; Name=\"a b.PNG\"\nContent-Transfer-Encoding: BASE64\n\n",
			`("IMAGE" "Png" ("Name" "a b.PNG") NIL NIL "BASE64" 0 NIL NIL NIL NIL)`},
		{"every field", "Content-Type: image/png\nContent-ID: <a@b>\nContent-Description: a picture\nContent-MD5: Q2hlY2s=\n" +
			"Content-Disposition: attachment; filename=a.png; size=3\nContent-Language: en, de (x)\nContent-Location: http://a/b\n\nabc",
			`("image" "png" NIL "<a@b>" "a picture" "7bit" 3 "Q2hlY2s=" ("attachment" ("filename" "a.png" "size" "3")) ("en" "de") "http://a/b")`},
		{"one language is a string", "Content-Language: en\n\n", `("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL "en" NIL)`},
		{"none is NIL", "Content-Language: ,,\nContent-Disposition: ;a=b\n\n", `("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL)`},
		{"a disposition without parameters", "Content-Disposition: inline\n\n", `("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL ("inline" NIL) NIL NIL)`},
		{"a multipart", "Content-Type: multipart/mixed; boundary=b\nContent-Language: en\n\n--b\n\none\n--b\nContent-Type: text/html; charset=utf-8\n\ntwo\n--b--\n",
			`(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 3 0 NIL NIL NIL NIL)("text" "html" ("charset" "utf-8") NIL NIL "7bit" 3 0 NIL NIL NIL NIL)` +
				` "mixed" ("boundary" "b") NIL "en" NIL)`},
		{"a message within has an envelope, a structure and lines", "Content-Type: message/rfc822\n\nSubject: in\n\nhi\n",
			`("message" "rfc822" NIL NIL NIL "7bit" 19 (NIL "in" NIL NIL NIL NIL NIL NIL NIL NIL) ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 4 1 NIL NIL NIL NIL) 3 NIL NIL NIL NIL)`},
		{"a multipart that is none is text, whatever it says", "Content-Type: multipart/mixed; boundary=b; charset=utf-8\n\nhi",
			`("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 2 0 NIL NIL NIL NIL)`},
		{"of two parameters the first is told", "Content-Type: text/plain; charset=a; CHARSET=b; x=y\n\n", `("text" "plain" ("charset" "a" "x" "y") NIL NIL "7bit" 0 0 NIL NIL NIL NIL)`},
		{"a literal where it must be", "Content-Type: text/plain; x=\"\xc3\xa4\\\"\"\n\n", "(\"text\" \"plain\" (\"x\" {3}\r\n\xc3\xa4\") NIL NIL \"7bit\" 0 0 NIL NIL NIL NIL)"},
		{"RFC 2231 section 6: continuations are joined", "Content-Type: a/b; u*1=\"c d\"; u*0=ab; v=w\n\n", `("a" "b" ("u" "abc d" "v" "w") NIL NIL "7bit" 0 NIL NIL NIL NIL)`},
		{"RFC 2231 section 4.1: with and without percents", "Content-Type: a/b; t*0*=us-ascii'en'This%20; t*1*=is%20; t*2=\"it's %!\"\n\n",
			`("a" "b" ("t*" "us-ascii'en'This%20is%20it%27s%20%25!") NIL NIL "7bit" 0 NIL NIL NIL NIL)`},
		{"I18 a hole ends it, the rest stays", "Content-Type: a/b; t*0=a; t*2=c; t*1000=d\n\n", `("a" "b" ("t" "a" "t*2" "c" "t*1000" "d") NIL NIL "7bit" 0 NIL NIL NIL NIL)`},
		{"I18 without a beginning it stays", "Content-Type: a/b; t*1=a; t*01=b\n\n", `("a" "b" ("t*1" "a" "t*01" "b") NIL NIL "7bit" 0 NIL NIL NIL NIL)`},
		{"I18 a number with a leading zero is none", "Content-Type: a/b; t*0=a; t*01=b\n\n", `("a" "b" ("t" "a" "t*01" "b") NIL NIL "7bit" 0 NIL NIL NIL NIL)`},
		{"I18 of two sections with one number the first counts", "Content-Type: a/b; t*0=a; t*1=b; t*1=c\n\n", `("a" "b" ("t" "ab" "t*1" "c") NIL NIL "7bit" 0 NIL NIL NIL NIL)`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tree := scanned(t, tt.msg)
			got := tree.AppendStructure(nil, true, false)
			if string(got) != tt.want {
				t.Errorf("\n got %q\nwant %q", got, tt.want)
			}
			parseBody(t, mustParse(t, got), true)
			parseBody(t, mustParse(t, tree.AppendStructure(nil, false, false)), false)
		})
	}
}

func TestBodyHasNoExtensionData(t *testing.T) {
	t.Parallel()
	msg := "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Language: en\n\none\n--b--\n"
	want := `(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 3 0) "mixed")`
	if got := string(scanned(t, msg).AppendStructure(nil, false, false)); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestI15StructureBeyondTheBoundsIsOpaque(t *testing.T) {
	t.Parallel()
	msg := strings.Repeat("Content-Type: message/rfc822\n\n", 1000)
	got := scanned(t, msg).AppendStructure(nil, true, false)
	parseBody(t, mustParse(t, got), true)
	if n := strings.Count(string(got), `"message" "rfc822"`); n != MaxDepth-1 {
		t.Errorf("%d messages", n)
	}
	if !strings.Contains(string(got), `("application" "octet-stream" NIL NIL NIL "7bit" `) {
		t.Error("no leaf of bytes")
	}
}

func TestI17StructuresHoldABoundedNumberOfAddresses(t *testing.T) {
	t.Parallel()
	msg := "Content-Type: multipart/digest; boundary=b\n\n" + strings.Repeat("--b\n\nFrom: "+strings.Repeat("a,", 30_000)+"\n\n", 100)
	got := scanned(t, msg).AppendStructure(nil, true, false)
	parseBody(t, mustParse(t, got), true)
	if n := strings.Count(string(got), `(NIL NIL "a" "")`); n != maxAddresses {
		t.Errorf("%d addresses", n)
	}
}

func TestI18ManySections(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("Content-Type: a/b")
	for i := range 1_000_000 {
		b.WriteString("; x*" + strconv.Itoa(i) + "*=y")
	}
	b.WriteString("\n\n")
	got := scanned(t, b.String()).AppendStructure(nil, true, false)
	want := `("a" "b" ("x*" "` + strings.Repeat("y", 100) + `") NIL NIL "7bit" 0 NIL NIL NIL NIL)`
	if string(got) != want {
		t.Errorf("%.300q", got)
	}
}

func TestAppendParam(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, sent, decoded string }{
		{"a token", "a/b; n=x", "x", "x"},
		{"a quoted string", `a/b; N = "x;\"y"`, `x;"y`, `x;"y`},
		{"one that is not closed", `a/b; n="x;y`, `x;y`, `x;y`},
		{"blanks and specials without quotes", "a/b; n=x y=/?@z ; m=o", "x y=/?@z", "x y=/?@z"},
		{"a comment is none of it", "a/b; n=x (y)", "x", "x"},
		{"parentheses in a file name are", "a/b; n=x(1).pdf", "x(1).pdf", "x(1).pdf"},
		{"semicolons in quotes and comments part nothing", `a/b (;n=1) "; n=2" ; n=3`, "3", "3"},
		{"what is no parameter is passed over", "a/b; ;n;=x;n=y", "y", "y"},
		{"an empty value", "a/b; n=; m=x", "", ""},
		{"RFC 2231 section 4", "a/b; n*=utf-8'en'%C3%A4%20b", "\xc3\xa4 b", "\xc3\xa4 b"},
		{"another charset is decoded", "a/b; n*=iso-8859-1''%E4", "\xe4", "\xc3\xa4"},
		{"RFC 2231 section 4.1", "a/b; n*0*=iso-8859-1''%E4; n*1=%; n*2*=%E4", "\xe4%\xe4", "\xc3\xa4%\xc3\xa4"},
		{"I18 a charset that is not known stays", "a/b; n*=x''%E4", "\xe4", "\xe4"},
		{"I18 text that is not in its charset stays", "a/b; n*=utf-8''%E4", "\xe4", "\xe4"},
		{"I18 without quotes there is no charset", "a/b; n*=%E4", "\xe4", "\xe4"},
		{"I18 broken percents stay", "a/b; n*=utf-8''%4%zz%", "%4%zz%", "%4%zz%"},
		{"plain and encoded", "a/b; n=x; n*=utf-8''y", "x", "y"},
		{"encoded words are decoded", `a/b; n="=?iso-8859-1?q?=E4?="`, "=?iso-8859-1?q?=E4?=", "\xc3\xa4"},
		{"X02 the first counts", "a/b; n=x; n=y", "x", "x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sent, ok := AppendParam([]byte(">"), []byte(tt.in), "n", nil)
			if string(sent) != ">"+tt.sent || !ok {
				t.Errorf("as sent %q, %v; want %q", sent, ok, tt.sent)
			}
			got, ok := AppendParam([]byte(">"), []byte(tt.in), "n", BasicCharset)
			if string(got) != ">"+tt.decoded || !ok {
				t.Errorf("decoded %q, %v; want %q", got, ok, tt.decoded)
			}
		})
	}
	if got, ok := AppendParam(nil, []byte("a/b; n*1=x; m=y"), "n", nil); ok || len(got) > 0 {
		t.Errorf("none: %q, %v", got, ok)
	}
}

func FuzzStructure(f *testing.F) {
	f.Add("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822; a*0*=b; a*1=\"\\\xff\"\n\nTo: a@b\n\n--b--\n", true, false)
	f.Add("Content-Disposition: x; a=b; a*=c\nContent-Language: a, b\nContent-MD5: \x00\n\n", false, true)
	f.Fuzz(func(t *testing.T, msg string, extended, utf8 bool) {
		parseBody(t, mustParse(t, scanned(t, msg).AppendStructure(nil, extended, utf8)), extended)
	})
}

// FuzzParam holds that a value written as RFC 2231 says is read back, and that
// whatever is read is no longer than what was sent.
func FuzzParam(f *testing.F) {
	f.Add("n*0*=utf-8''%C3; n*1=\"\\a\"", []byte("a b\xc3\xa4%"), 3)
	f.Fuzz(func(t *testing.T, value string, text []byte, size int) {
		if got, _ := AppendParam(nil, []byte("a/b;"+value), "n", nil); len(got) > len(value) {
			t.Fatalf("%q grew to %q", value, got)
		}
		size = 1 + int(uint(size)%100)
		if len(text) > size*maxParameters {
			return
		}
		b := []byte("a/b; x=y")
		for i := 0; i*size < len(text); i++ {
			piece := percentEncodeFrom(append([]byte(nil), text[i*size:min(len(text), (i+1)*size)]...), 0)
			charset := ""
			if i == 0 {
				charset = "x''"
			}
			b = append(b, "; n*"+strconv.Itoa(i)+"*="+charset+string(piece)...)
		}
		got, _ := AppendParam(nil, b, "n", nil)
		if string(got) != string(text) && len(text) <= size*(maxParameters-1) {
			t.Fatalf("%q: %q, want %q", b, got, text)
		}
	})
}
