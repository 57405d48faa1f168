package message

import (
	"strings"
	"testing"
)

func TestBaseSubject(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in, want string
		reply          bool
	}{
		{"RFC 5256 section 2.1: nothing to take off", "hello", "hello", false},
		{"step 1: blanks", "  a \t b\t", "a b", false},
		{"step 1: encoded words", "=?utf-8?q?Re:_a?=", "a", true},
		{"step 2: a trailer", "a (fwd) (FWD) ", "a", true},
		{"step 3: a reply", "Re: a", "a", true},
		{"step 3: replies and forwards", "RE: fw : FWD:re:a", "a", true},
		{"step 3: with a blob", "Re[2]: a", "a", true},
		{"step 3: with a blob and blanks", "re [x] : a", "a", true},
		{"step 3: behind blobs", "[x] [y]Re: a", "a", true},
		{"step 4: a blob", "[list] a", "a", false},
		{"step 4: several", "[list][b] a", "a", false},
		{"step 4: not if nothing is left", "[list]", "[list]", false},
		{"step 4: the last of several stays then", "[list] [b]", "[b]", false},
		{"step 5: again and again", "[x] Re: [y] Fwd: a", "a", true},
		{"step 6: a forward in brackets", "[fwd: a]", "a", true},
		{"step 6: and what is in it", "[Fwd: re: [x] a (fwd)]", "a", true},
		{"a word that begins so is none", "Regards: a", "Regards: a", false},
		{"a blob without end is none", "[x a", "[x a", false},
		{"a blob in a blob is none", "[x [y] a", "[x [y] a", false},
		{"a subject of a reply alone", "Re:", "", true},
		{"nothing", "", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, reply := AppendBaseSubject([]byte("> "), []byte(tt.in), nil)
			if string(got) != "> "+tt.want || reply != tt.reply {
				t.Errorf("%q: %q, %v; want %q, %v", tt.in, got, reply, tt.want, tt.reply)
			}
		})
	}
}

func TestX01BaseSubjectOfManyBlobs(t *testing.T) {
	t.Parallel()
	const n = 1 << 20
	for in, want := range map[string]string{
		strings.Repeat("[a]", n) + "b":                            "b",
		strings.Repeat("[a]", n):                                  "[a]",
		strings.Repeat("re:", n) + "b":                            "b",
		strings.Repeat("[a]re:", n) + "b":                         "b",
		"b" + strings.Repeat("(fwd)", n):                          "b",
		strings.Repeat("[fwd:", n) + "b" + strings.Repeat("]", n): "b",
	} {
		if got, _ := AppendBaseSubject(nil, []byte(in), nil); string(got) != want {
			t.Errorf("%.20q: %.20q", in, got)
		}
	}
}

// bySteps is RFC 5256 section 2.1 as it is written, a step at a time.
func bySteps(s string) string {
	for {
		for {
			s = strings.TrimRight(s, " ")
			if len(s) < 5 || !strings.EqualFold(s[len(s)-5:], "(fwd)") {
				break
			}
			s = s[:len(s)-5]
		}
		for {
			before := s
			s = strings.TrimLeft(s, " ")
			rest := s
			for n := blobLength([]byte(rest)); n > 0; n = blobLength([]byte(rest)) {
				rest = rest[n:]
			}
			if n := leaderLength([]byte(rest)); n > 0 {
				s = rest[n:]
			} else if n := blobLength([]byte(s)); n > 0 && strings.Trim(s[n:], " ") != "" {
				s = s[n:]
			}
			if s == before {
				break
			}
		}
		in, ok := unwrapForward([]byte(s))
		if !ok {
			return s
		}
		s = string(in)
	}
}

func FuzzBaseSubject(f *testing.F) {
	f.Add("[x] Re[2]: [fwd: [y] a (fwd)]")
	f.Fuzz(func(t *testing.T, in string) {
		if strings.Contains(in, "=?") || len(in) > 1000 {
			return
		}
		got, _ := AppendBaseSubject(nil, []byte(in), nil)
		if want := bySteps(string(closeUpBlanks([]byte(in)))); string(got) != want {
			t.Fatalf("%q: %q, by steps %q", in, got, want)
		}
	})
}
