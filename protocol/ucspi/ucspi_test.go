package ucspi

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pair is a connected pair: ours as a Conn, theirs as a file.
func pair(t *testing.T) (*Conn, *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fds[0]) })
	theirs := os.NewFile(uintptr(fds[1]), "peer")
	t.Cleanup(func() { theirs.Close() })
	return New(fds[0], fds[0]), theirs
}

func TestReadLineBytesLeavesTheRestInTheSocket(t *testing.T) {
	c, peer := pair(t)
	peer.WriteString("PASS x\r\nSTAT\r\n")
	p := make([]byte, 512)
	n, err := c.ReadLineBytes(p)
	if err != nil || string(p[:n]) != "PASS x\r\n" {
		t.Fatalf("%q %v", p[:n], err)
	}
	n, err = c.Read(p)
	if err != nil || string(p[:n]) != "STAT\r\n" {
		t.Fatalf("left in the socket: %q %v", p[:n], err)
	}
}

func TestReadLineBytesLeavesTheRestInAPipe(t *testing.T) {
	r, w, _ := os.Pipe()
	defer r.Close()
	c := New(int(r.Fd()), 1)
	w.WriteString("a\nb\n")
	w.Close()
	var got []byte
	p := make([]byte, 512)
	for !strings.HasSuffix(string(got), "\n") {
		n, err := c.ReadLineBytes(p)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, p[:n]...)
	}
	rest, _ := io.ReadAll(r)
	if string(got) != "a\n" || string(rest) != "b\n" {
		t.Fatalf("took %q, left %q", got, rest)
	}
}

func TestDeadlinesHoldOnPipesAndSockets(t *testing.T) {
	c, _ := pair(t)
	r, w, _ := os.Pipe()
	defer r.Close()
	defer w.Close()
	for name, c := range map[string]*Conn{"socket": c, "pipe": New(int(r.Fd()), 1)} {
		c.ReadTimeout = time.Millisecond
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, ErrTimeout) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPlainFileNeverExpires(t *testing.T) {
	f, err := os.Open("conn.go")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := New(int(f.Fd()), 1)
	c.ReadTimeout = time.Nanosecond
	if _, err := c.Read(make([]byte, 10)); err != nil && !errors.Is(err, ErrTimeout) {
		t.Fatal(err)
	}
	c.ReadTimeout = time.Hour
	if _, err := io.ReadAll(c); err != nil {
		t.Fatal(err)
	}
}

func TestS30WriteToAPeerThatDoesNotReadEnds(t *testing.T) {
	c, _ := pair(t)
	c.WriteTimeout = 10 * time.Millisecond
	if _, err := c.Write(make([]byte, 10<<20)); !errors.Is(err, ErrTimeout) {
		t.Fatalf("got %v", err)
	}
}

func TestS29DrippingPeerIsTooSlow(t *testing.T) {
	c, peer := pair(t)
	now := time.Unix(1700000000, 0)
	c.Now = func() time.Time { return now }
	c.MinRate, c.RateWindow = 1000, 30*time.Second
	p := make([]byte, 100)
	for i := range 10 {
		peer.WriteString("x")
		_, err := c.Read(p)
		now = now.Add(5 * time.Second)
		if i*5 >= 30 && err == nil {
			t.Fatalf("still patient after %d s", i*5)
		}
		if err != nil {
			if !errors.Is(err, ErrTooSlow) || i*5 < 30 {
				t.Fatalf("after %d s: %v", i*5, err)
			}
			return
		}
	}
}

func TestPeerOf(t *testing.T) {
	tests := []struct {
		name   string
		env    map[string]string
		remote string
		local  bool
	}{
		{"tcpserver's words", map[string]string{"PROTO": "TCP", "TCPREMOTEIP": "192.0.2.7", "TCPREMOTEPORT": "99"}, "192.0.2.7:99", false},
		{"a prefix of its own, then TCP", map[string]string{"PROTO": "SSL", "SSLREMOTEIP": "192.0.2.8", "TCPREMOTEPORT": "7"}, "192.0.2.8:7", false},
		{"systemd's words", map[string]string{"REMOTE_ADDR": "2001:db8::1", "REMOTE_PORT": "4"}, "[2001:db8::1]:4", false},
		{"IPv4 in IPv6 is IPv4", map[string]string{"TCPREMOTEIP": "::ffff:192.0.2.7"}, "192.0.2.7:0", false},
		{"loopback is local", map[string]string{"TCPREMOTEIP": "127.0.0.1"}, "127.0.0.1:0", true},
		{"nothing known is local", nil, "invalid AddrPort", true},
		{"nonsense is nothing", map[string]string{"TCPREMOTEIP": "1.2.3.4.5"}, "invalid AddrPort", true},
	}
	for _, tt := range tests {
		p := PeerOf(func(k string) string { return tt.env[k] }, -1)
		if p.Remote.String() != tt.remote || p.IsLocal() != tt.local {
			t.Errorf("%s: %v local=%v", tt.name, p.Remote, p.IsLocal())
		}
	}
}
