package ucspi

import (
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestOfferNeedsThreeOpenDescriptors(t *testing.T) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(p[0])
	defer unix.Close(p[1])
	good := map[string]string{"SSLCTLFD": strconv.Itoa(p[0]), "SSLREADFD": strconv.Itoa(p[0]), "SSLWRITEFD": strconv.Itoa(p[1])}
	if o, ok := TLSOffer(func(n string) string { return good[n] }); !ok || o != (Offer{p[0], p[0], p[1]}) {
		t.Errorf("%+v, %v", o, ok)
	}
	for name := range good {
		for _, bad := range []string{"", "x", "-1", "0", "2", "99999", "99999999999999999999"} {
			_, ok := TLSOffer(func(n string) string {
				if n == name {
					return bad
				}
				return good[n]
			})
			if ok {
				t.Errorf("%s=%q is an offer", name, bad)
			}
		}
	}
}

// What the wrapper tells comes in pieces, ends with two NULs, and is bounded.
func TestWrapperIsHeardToItsEnd(t *testing.T) {
	for name, c := range map[string]struct {
		say  []string
		want string
		err  bool
	}{
		"two strings in three pieces": {[]string{"SSL_PROTOCOL=TLSv1.3\x00SSL_", "CIPHER=X\x00", "\x00"}, "SSL_PROTOCOL=TLSv1.3 SSL_CIPHER=X", false},
		"nothing to tell":             {[]string{"\x00"}, "", false},
		"no end":                      {[]string{"A=b\x00"}, "", true},
		"closed at once":              {nil, "", true},
		"too much":                    {[]string{strings.Repeat("x", maxTLSEnv), strings.Repeat("y", 5000), "\x00\x00"}, "", true},
	} {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for _, s := range c.say {
				unix.Write(fds[1], []byte(s))
			}
			unix.Close(fds[1])
		}()
		told, err := Offer{ctl: fds[0]}.wait()
		var words []string
		for _, b := range told {
			words = append(words, string(b))
		}
		if got := strings.Join(words, " "); got != c.want || (err != nil) != c.err {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		unix.Close(fds[0])
	}
}
