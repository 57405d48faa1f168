package imap

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// show is a Fetch in a form that a table can hold.
func (f Fetch) show() string {
	var parts []string
	for _, a := range fetchAtts {
		if f.Atts&a.att != 0 {
			parts = append(parts, a.name)
		}
	}
	if f.Atts&FetchPreviewLazy != 0 {
		parts = append(parts, "LAZY")
	}
	for _, s := range f.Sections {
		text := string(s.AppendName(nil))
		if s.Partial.Length > 0 {
			text += fmt.Sprintf("+%d", s.Partial.Length)
		}
		if s.Peek {
			text += "?"
		}
		parts = append(parts, text)
	}
	if f.ChangedSince != 0 {
		parts = append(parts, fmt.Sprint("since ", f.ChangedSince))
	}
	if f.Vanished {
		parts = append(parts, "vanished")
	}
	if f.Page != (Page{}) {
		parts = append(parts, string(f.Page.Append([]byte("page "))))
	}
	return f.Set.String() + " " + strings.Join(parts, " ")
}

func parseFetch(args string, uid bool) (Fetch, error) {
	w := newWire("a FETCH "+args+"\r\n", AfterLogin)
	w.Next()
	return ParseFetch(w.Decoder, uid)
}

func TestFetchItems(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"one item", "1 flags", "1 FLAGS"},
		{"a list", "1:* (UID FLAGS)", "1:* UID FLAGS"},
		{"an item twice", "1 (FLAGS FLAGS)", "1 FLAGS"},
		// RFC 9051 section 6.4.5: macros equivalent to lists.
		{"ALL", "1 ALL", "1 FLAGS INTERNALDATE RFC822.SIZE ENVELOPE"},
		{"FAST", "1 FAST", "1 FLAGS INTERNALDATE RFC822.SIZE"},
		{"FULL", "1 FULL", "1 FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY"},
		{"a macro must stand alone", "1 (ALL)", ""},
		{"structure", "1 (BODY BODYSTRUCTURE)", "1 BODYSTRUCTURE BODY"},
		{"the message", "1 BODY[]", "1 BODY[]"},
		{"without \\Seen", "1 body.peek[]", "1 BODY[]?"},
		{"the header", "1 BODY[HEADER]", "1 BODY[HEADER]"},
		{"fields", `1 BODY.PEEK[HEADER.FIELDS (Date "From" X-Y)]`, "1 BODY[HEADER.FIELDS (Date From X-Y)]?"},
		{"all other fields", "1 BODY[HEADER.FIELDS.NOT (Date)]", "1 BODY[HEADER.FIELDS.NOT (Date)]"},
		{"fields of a part", "1 BODY[1.2.HEADER.FIELDS (Date)]", "1 BODY[1.2.HEADER.FIELDS (Date)]"},
		{"a field in a literal", "1 BODY[HEADER.FIELDS ({4+}\r\nDate)]", "1 BODY[HEADER.FIELDS (Date)]"},
		{"a part", "1 BODY[1.2.3]", "1 BODY[1.2.3]"},
		{"MIME of a part", "1 BODY[1.MIME]", "1 BODY[1.MIME]"},
		{"MIME of the message", "1 BODY[MIME]", ""},
		{"text", "1 BODY[TEXT]<0.2048>", "1 BODY[TEXT]<0>+2048"},
		{"part of a part", "1 BODY.PEEK[1]<10.1>", "1 BODY[1]<10>+1?"},
		{"binary", "1 (BINARY[1] BINARY.PEEK[1.1]<0.9> BINARY.SIZE[2])", "1 BINARY[1] BINARY[1.1]<0>+9? BINARY.SIZE[2]?"},
		{"binary of the message", "1 BINARY[]", "1 BINARY[]"},
		{"binary of a header", "1 BINARY[HEADER]", ""},
		{"binary of a part's header", "1 BINARY[1.HEADER]", ""},
		{"part of a size", "1 BINARY.SIZE[1]<0.1>", ""},
		{"of rev1", "1 (RFC822 RFC822.HEADER RFC822.TEXT RFC822.SIZE)", "1 RFC822.SIZE RFC822 RFC822.HEADER? RFC822.TEXT"},
		{"modseq and ids", "1 (MODSEQ EMAILID THREADID SAVEDATE)", "1 MODSEQ EMAILID THREADID SAVEDATE"},
		{"preview", "1 PREVIEW", "1 PREVIEW"},
		{"lazy preview", "1 (PREVIEW (LAZY) UID)", "1 UID PREVIEW LAZY"},
		{"preview with a modifier of FETCH", "1 PREVIEW (CHANGEDSINCE 5)", "1 PREVIEW since 5"},
		{"lazy preview and a modifier", "1 PREVIEW (lazy) (CHANGEDSINCE 5)", "1 PREVIEW LAZY since 5"},
		{"CHANGEDSINCE", "1:* FLAGS (CHANGEDSINCE 12345)", "1:* FLAGS since 12345"},
		// RFC 7162 section 7: mod-sequence-value is positive.
		{"CHANGEDSINCE 0", "1 FLAGS (CHANGEDSINCE 0)", ""},
		{"CHANGEDSINCE twice", "1 FLAGS (CHANGEDSINCE 1 CHANGEDSINCE 2)", ""},
		{"PARTIAL", "1:* FLAGS (PARTIAL -1:-100)", "1:* FLAGS page -1:-100"},
		{"a space before the end of the list", "1 (FLAGS )", "1 FLAGS"},
		{"an empty list", "1 ()", ""},
		{"no items", "1", ""},
		{"an unknown item", "1 FOO", ""},
		{"an unknown item with a section", "1 FOO[]", ""},
		{"a section where none is", "1 FLAGS[]", ""},
		{"a list without end", "1 (FLAGS", ""},
		{"a section without end", "1 BODY[", ""},
		{"a list in a list", "1 ((FLAGS))", ""},
		{"no such modifier", "1 FLAGS (FOO)", ""},
		{"names that no field has", `1 BODY[HEADER.FIELDS ("a b" "" NIL)]`, `1 BODY[HEADER.FIELDS ("a b" "" "NIL")]`},
		{"no fields", "1 BODY[HEADER.FIELDS ()]", ""},
		{"unknown section", "1 BODY[FOO]", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := parseFetch(tt.in, false)
			got := f.show()
			if err != nil {
				got = ""
			}
			if got != tt.want {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

// RFC 7162 section 3.2.6: VANISHED is for UID FETCH, and only with CHANGEDSINCE.
func TestFetchVanished(t *testing.T) {
	for in, ok := range map[string]bool{
		"1:* FLAGS (CHANGEDSINCE 1 VANISHED)": true,
		"1:* FLAGS (VANISHED CHANGEDSINCE 1)": true,
		"1:* FLAGS (VANISHED)":                false,
	} {
		if f, err := parseFetch(in, true); (err == nil) != ok || ok && f.show() != "1:* UID FLAGS since 1 vanished" {
			t.Errorf("UID FETCH %s: %v %v", in, f.show(), err)
		}
		if _, err := parseFetch(in, false); err == nil {
			t.Errorf("FETCH %s is taken", in)
		}
	}
}

func TestI14SectionsAndPartials(t *testing.T) {
	part := strings.Repeat("1.", 99) + "1"
	for _, tt := range []struct {
		name, in string
		ok       bool
	}{
		{"100 deep", "1 BODY[" + part + "]", true},
		{"101 deep", "1 BODY[" + part + ".1]", false},
		{"10^4 deep", "1 BODY[" + strings.Repeat("1.", 9999) + "1]", false},
		{"part 0", "1 BODY[0]", false},
		{"part 0 of 1", "1 BODY[1.0]", false},
		{"part 2^32-1", "1 BODY[4294967295]", true},
		{"part 2^32", "1 BODY[4294967296]", false},
		{"a dot at the end", "1 BODY[1.]", false},
		{"two dots", "1 BODY[1..1]", false},
		// RFC 9051 section 9: partial = "<" number64 "." nz-number64 ">".
		{"nothing of it", "1 BODY[]<0.0>", false},
		{"far behind the end", "1 BODY[]<4294967295.4294967295>", true},
		{"2^63-1", "1 BODY[]<9223372036854775807.9223372036854775807>", true},
		{"2^63", "1 BODY[]<9223372036854775808.1>", false},
		{"negative length", "1 BODY[]<1.-1>", false},
		{"negative offset", "1 BODY[]<-1.1>", false},
		{"offset alone", "1 BODY[]<1>", false},
		{"without its end", "1 BODY[]<0.1", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := parseFetch(tt.in, false); (err == nil) != tt.ok {
				t.Errorf("%v", err)
			}
		})
	}
}

// RFC 9394 section 4 and the table of section 3.1.
func TestI42Pages(t *testing.T) {
	for _, tt := range []struct {
		in       string
		ok       bool
		total    int64
		from, to int64
	}{
		{"1:3", true, 10, 0, 3},
		{"3:1", true, 10, 0, 3},
		{"-1:-3", true, 10, 7, 10},
		{"-3:-1", true, 10, 7, 10},
		{"5:20", true, 10, 4, 10},
		{"11:20", true, 10, 10, 10},
		{"-5:-20", true, 10, 0, 6},
		{"-11:-20", true, 10, 10, 10},
		{"1:1", true, 0, 0, 0},
		{"-4294967295:-4294967295", true, 10, 10, 10},
		{"0:0", false, 0, 0, 0},
		{"-1:5", false, 0, 0, 0},
		{"1:-2147483648", false, 0, 0, 0},
		{"-0:-1", false, 0, 0, 0},
		{"1:4294967296", false, 0, 0, 0},
		{"1:99999999999999999999", false, 0, 0, 0},
		{"1:*", false, 0, 0, 0},
		{"1", false, 0, 0, 0},
	} {
		f, err := parseFetch("1:* FLAGS (PARTIAL "+tt.in+")", false)
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.in, err)
			continue
		}
		if from, to := f.Page.Of(tt.total); tt.ok && (from != tt.from || to != tt.to) {
			t.Errorf("%s of %d: %d to %d", tt.in, tt.total, from, to)
		}
	}
}

// FuzzFetch: the name under which a section is answered, asked for again, is the same
// section.
func FuzzFetch(f *testing.F) {
	for _, s := range []string{"BODY[]", "BODY.PEEK[1.2.HEADER.FIELDS (Date \"a b\")]<0.5>", "(BINARY[1] RFC822.TEXT)", "BODY[1.MIME]", "(FLAGS BODY[HEADER.FIELDS.NOT (NIL x]) UID)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, items string) {
		first, err := parseFetch("1 "+items, false)
		if err != nil {
			return
		}
		for _, s := range first.Sections {
			if s.Kind > KindBinarySize {
				continue
			}
			name := string(s.AppendName(nil))
			if s.Partial.Length > 0 {
				name = strings.TrimSuffix(name, ">") + fmt.Sprintf(".%d>", s.Partial.Length)
			}
			again, err := parseFetch("1 "+name, false)
			if err != nil || len(again.Sections) != 1 {
				t.Fatalf("%q in %q: %v", name, items, err)
			}
			got := again.Sections[0]
			got.Peek = s.Peek
			if !reflect.DeepEqual(got, s) {
				t.Fatalf("%q: %+v, then %+v", items, s, got)
			}
		}
	})
}
