package imap

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestI13SequenceSets(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"one number", "7", "7"},
		{"the largest", "4294967295", "4294967295"},
		{"all there can be", "1:4294967295", "1:4294967295"},
		// RFC 9051 section 9: 2:4 and 4:2 are equivalent.
		{"a range backwards", "4:2", "2:4"},
		{"neighbours become one", "1,2,3,5,4", "1:5"},
		{"overlaps become one", "1:10,5:20,3:4", "1:20"},
		{"order does not matter", "9,1,5:7", "1,5:7,9"},
		{"the same again", strings.TrimSuffix(strings.Repeat("1,", 100000), ","), "1"},
		{"star alone", "*", "*"},
		{"star to star", "*:*", "*"},
		{"star first", "*:4", "4:*"},
		{"4294967295:* is the last message", "4294967295:*", "*"},
		{"what lies in a range to star is in it", "1,3:5,9,4:*,*", "1,3:*"},
		{"what touches it begins it", "1:3,4:*", "1:*"},
		{"zero", "0", ""},
		{"zero in a range", "0:4", ""},
		{"2^32", "4294967296", ""},
		{"2^64 and 1", "18446744073709551617", ""},
		{"empty", "", ""},
		{"empty member", "1,,2", ""},
		{"comma at the end", "1,", ""},
		{"comma at the start", ",1", ""},
		{"half a range", "1:", ""},
		{"the other half", ":1", ""},
		{"three ends", "1:2:3", ""},
		{"negative", "-1", ""},
		{"a blank", "1, 2", ""},
		{"$ is no set of numbers", "$", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, ok := ParseNumSet(tt.in)
			if ok != (tt.want != "") || s.String() != tt.want {
				t.Errorf("%.40q: got %q, %v, want %q", tt.in, s.String(), ok, tt.want)
			}
		})
	}
}

// RFC 9051 section 9: * is the largest number in use, and 3291:* includes the last
// message even if its UID is less than 3291.
func TestStarDependsOnTheMailbox(t *testing.T) {
	for _, tt := range []struct {
		set  string
		most uint32
		want string
	}{
		{"2,4:7,9,12:*", 15, "[{2 2} {4 7} {9 9} {12 15}]"},
		{"*:4,5:7", 10, "[{4 10}]"},
		{"3291:*", 100, "[{100 100}]"},
		{"1:100,3291:*", 100, "[{1 100}]"},
		{"1:99,3291:*", 100, "[{1 99} {100 100}]"},
		{"*", 100, "[{100 100}]"},
		{"5:10", 7, "[{5 7}]"},
		{"8:10", 7, "[]"},
		{"1:*", 0, "[]"},
		{"1:4294967295", math.MaxUint32, "[{1 4294967295}]"},
		{"*", math.MaxUint32, "[{4294967295 4294967295}]"},
		{"4294967295", 100, "[]"},
	} {
		s, _ := ParseNumSet(tt.set)
		got := []Range{}
		var count int64
		for r := range s.Ranges(tt.most) {
			got = append(got, r)
			count += int64(r.Last) - int64(r.First) + 1
			if !s.Contains(r.First, tt.most) || !s.Contains(r.Last, tt.most) {
				t.Errorf("%s in %d: does not contain %v", tt.set, tt.most, r)
			}
		}
		if fmt.Sprint(got) != tt.want || s.Count(tt.most) != count {
			t.Errorf("%s in %d: got %v, count %d, want %s", tt.set, tt.most, got, s.Count(tt.most), tt.want)
		}
	}
}

// The set holds what a table of booleans filled member by member holds.
func TestSetAgainstTable(t *testing.T) {
	const most = 12
	for _, in := range []string{"1", "3,5:7", "*", "10:*", "20:*", "7:3,1,*:5", "12,20:30", "1:4,6:8,8:*"} {
		var want [most + 1]bool
		for member := range strings.SplitSeq(in, ",") {
			a, b, isRange := strings.Cut(member, ":")
			if !isRange {
				b = a
			}
			lo, hi := numberOr(a, most), numberOr(b, most)
			for n := min(lo, hi); n <= max(lo, hi) && n <= most; n++ {
				want[n] = true
			}
		}
		s, _ := ParseNumSet(in)
		for n := range uint32(most + 1) {
			if s.Contains(n, most) != want[n] {
				t.Errorf("%s: Contains(%d) = %v", in, n, !want[n])
			}
		}
	}
}

func numberOr(text string, star uint32) uint32 {
	n := star
	if text != "*" {
		fmt.Sscan(text, &n)
	}
	return n
}

func TestAddKeepsTheSetShort(t *testing.T) {
	var s NumSet
	for _, n := range []uint32{1, 2, 3, 7, 9, 8, 5, 2} {
		s.Add(n)
	}
	s.AddRange(20, 30)
	if got := s.String(); got != "1:3,5,7:9,20:30" {
		t.Error(got)
	}
	if n := testing.AllocsPerRun(10, func() {
		var s NumSet
		for n := range uint32(10000) {
			s.Add(n + 1)
		}
	}); n > 1 {
		t.Errorf("%v allocations for 10,000 numbers in a row", n)
	}
}

func TestSavedResultIsASetOfItsOwn(t *testing.T) {
	w := newWire("a COPY $ x\r\n", AfterLogin)
	w.Next()
	c, err := ParseCopy(w.Decoder)
	if err != nil || !c.Set.Saved() || c.Set.Empty() || c.Set.String() != "$" {
		t.Error(c, err)
	}
}

func FuzzNumSet(f *testing.F) {
	for _, s := range []string{"1:3,5,9:*", "*", "*:*", "4294967295:4294967294", "5,1:7,*:2", "4294967296", "1,,2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, ok := ParseNumSet(text)
		if !ok {
			return
		}
		again, ok := ParseNumSet(s.String())
		if !ok || !again.Equal(s) || len(s.String()) > len(text) {
			t.Fatalf("%q is %q, then %q", text, s, again)
		}
		for i := 1; i < len(s.ranges); i++ {
			if uint64(s.ranges[i].First) <= uint64(s.ranges[i-1].Last)+1 {
				t.Fatalf("%q: ranges touch in %v", text, s.ranges)
			}
		}
	})
}
