package maildir

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Namer makes the bases of new names:
//
//	SECONDS.MmicrosPpidQcountRrandom.host
//
// Random is 64 bits in hexadecimal, so that nobody can take the names of the
// next hour in advance, and so that clones of one machine with one pid differ.
// Bases of one Namer ascend in the order of their making, also when the clock
// stands still or is set back. Two bases are never alike but for the case of
// their letters. All its methods may be called at once.
type Namer struct {
	Now  func() time.Time
	Host string // escaped and shortened when it is used
	PID  int
	Rand io.Reader

	mu    sync.Mutex
	last  int64 // microseconds since 1970 of the base before
	count uint64
}

// SystemNamer is the Namer of this process and host.
var SystemNamer = sync.OnceValue(func() *Namer {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return &Namer{Now: time.Now, Host: host, PID: os.Getpid(), Rand: kernelRandom{}}
})

// Next is a new base, at most maxBase bytes long. The error is that of Rand.
func (n *Namer) Next() (string, error) {
	var random [8]byte
	if _, err := io.ReadFull(n.Rand, random[:]); err != nil {
		return "", fmt.Errorf("random bits for a file name: %w", err)
	}
	return n.base(random), nil
}

// NextLike is a new base for a copy of a message, with the same ObjectID.
func (n *Namer) NextLike(id uint64) string {
	return n.base([8]byte(binary.BigEndian.AppendUint64(nil, id)))
}

// base is a new base with these 64 bits.
func (n *Namer) base(random [8]byte) string {
	t, count := n.tick()
	b := make([]byte, 0, maxBase)
	b = strconv.AppendInt(b, t/1e6, 10)
	b = append(b, ".M"...)
	micros := strconv.AppendInt(nil, 1e6+t%1e6, 10)
	b = append(b, micros[1:]...) // six digits, so that names sort by time
	b = append(b, 'P')
	b = strconv.AppendInt(b, int64(n.PID), 10)
	b = append(b, 'Q')
	b = strconv.AppendUint(b, count, 10)
	b = append(b, 'R')
	b = hex.AppendEncode(b, random[:])
	b = append(b, '.')
	b = append(b, escapeHost(n.Host)...)
	return string(b)
}

// tick is the time for the next base, at least a microsecond after the one
// before and never before 1970, and its number.
func (n *Namer) tick() (micros int64, count uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.last = max(n.Now().UnixMicro(), n.last+1)
	n.count++
	return n.last, n.count
}

// maxBase is the longest base we make or take, in bytes. A name of 255 bytes
// then still has room for ",S=…,W=…" and for all flags.
const maxBase = 150

// maxHost is how many bytes of a host's name go into a base; the rest of a base
// is shorter than 90 bytes.
const maxHost = 60

// escapeHost makes a host's name fit into a base: / and : as Maildir's
// specification has it, and the comma and all that is not printable ASCII in
// the same way. Letters become small.
func escapeHost(host string) string {
	if host == "" {
		host = "localhost"
	}
	var b strings.Builder
	for _, c := range []byte(host) {
		s := string(rune(lower(c)))
		if c == '/' || c == ':' || c == ',' || c == '\\' || c <= ' ' || c >= 0x7f {
			s = fmt.Sprintf(`\%03o`, c)
		}
		if b.Len()+len(s) > maxHost {
			break
		}
		b.WriteString(s)
	}
	return b.String()
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// kernelRandom reads the kernel's random bits, without what crypto/rand links
// and does at start.
type kernelRandom struct{}

func (kernelRandom) Read(p []byte) (int, error) {
	for {
		n, err := unix.Getrandom(p, 0)
		if err != unix.EINTR {
			return n, err
		}
	}
}
