package quota

import "testing"

// What is accepted adds up to something that is not negative, and says the same
// when it is written as one line.
func FuzzMaildirsize(f *testing.F) {
	f.Add([]byte("1000S,10C\n130 2\n-30 -1\n"))
	f.Add([]byte("10C\n     130         2\n"))
	f.Add([]byte("1S\n9223372036854775807 9223372036854775807\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		was, err := parse(text)
		if err != nil {
			return
		}
		if was.used.Bytes < 0 || was.used.Messages < 0 || was.lines == 0 {
			t.Fatalf("%q gives %+v", text, was)
		}
		if was.used.Bytes > maxNumber || was.used.Messages > maxNumber {
			return // larger than a line may say
		}
		again, err := parse([]byte(was.limit.String() + "\n" + was.used.line()))
		if err != nil || again.limit != was.limit || again.used != was.used {
			t.Fatalf("%q gives %+v, and that %+v, %v", text, was, again, err)
		}
	})
}
