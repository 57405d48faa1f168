package proxy

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
)

// v2 builds a header of version 2 by hand: command, family, and the rest.
func v2(command, family byte, rest string) string {
	b := append([]byte("\r\n\r\n\x00\r\nQUIT\n"), command, family)
	b = binary.BigEndian.AppendUint16(b, uint16(len(rest)))
	return string(b) + rest
}

const (
	block4 = "\xc0\x00\x02\x01" + "\xc6\x33\x64\x02" + "\x13\x88" + "\x00\x19"
	block6 = "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01" +
		"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02" + "\x13\x88" + "\x00\x19"
	mapped = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc0\x00\x02\x01" +
		"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc6\x33\x64\x02" + "\x13\x88" + "\x00\x19"
)

func TestParse(t *testing.T) {
	t.Parallel()
	tcp := func(from, to string) Header {
		return Header{Source: netip.MustParseAddrPort(from), Destination: netip.MustParseAddrPort(to)}
	}
	four := tcp("192.0.2.1:5000", "198.51.100.2:25")
	six := tcp("[2001:db8::1]:5000", "[2001:db8::2]:25")
	local := Header{Local: true}
	for _, c := range []struct {
		claim, header string
		want          Header
	}{
		{"version 1, IPv4", "PROXY TCP4 192.0.2.1 198.51.100.2 5000 25\r\n", four},
		{"version 1, IPv6", "PROXY TCP6 2001:db8::1 2001:db8::2 5000 25\r\n", six},
		{"version 1, unknown", "PROXY UNKNOWN\r\n", local},
		{"version 1, unknown with addresses", "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", local},
		{"version 1, as long as it may be", "PROXY UNKNOWN " + strings.Repeat("f", 107-16) + "\r\n", local},
		{"version 1, the ends of the range of ports", "PROXY TCP4 192.0.2.1 198.51.100.2 65535 0\r\n",
			tcp("192.0.2.1:65535", "198.51.100.2:0")},
		{"version 2, IPv4", v2(0x21, 0x11, block4), four},
		{"version 2, IPv6", v2(0x21, 0x21, block6), six},
		{"version 2, IPv4 written as IPv6", v2(0x21, 0x21, mapped), four},
		{"version 2, with extra fields", v2(0x21, 0x11, block4+"\x04\x00\x03abc"), four},
		{"version 2, as long as it may be", v2(0x21, 0x11, block4+strings.Repeat("x", MaxSize-16-12)), four},
		{"version 2, the proxy's own connection", v2(0x20, 0x00, ""), local},
		{"version 2, the proxy's own with addresses", v2(0x20, 0x11, block4), local},
		{"version 2, a family without IP addresses", v2(0x21, 0x31, strings.Repeat("/", 216)), local},
		{"version 2, no family", v2(0x21, 0x00, ""), local},
		{"version 2, datagrams", v2(0x21, 0x12, block4), local},
	} {
		const behind = "EHLO x\r\n"
		h, n, err := Parse([]byte(c.header + behind))
		if err != nil || h != c.want || n != len(c.header) {
			t.Errorf("%s: %+v, %d of %d bytes, %v", c.claim, h, n, len(c.header), err)
		}
		for i := range c.header {
			if _, _, err := Parse([]byte(c.header[:i])); err != ErrIncomplete {
				t.Errorf("%s: the first %d bytes: %v, want ErrIncomplete", c.claim, i, err)
				break
			}
		}
	}
}

func TestS35_BadHeaders(t *testing.T) {
	t.Parallel()
	for claim, header := range map[string]string{
		"no header":                     "EHLO x\r\n",
		"lower case":                    "proxy TCP4 192.0.2.1 198.51.100.2 5000 25\r\n",
		"version 1, overlong":           "PROXY UNKNOWN " + strings.Repeat("f", 107-15) + "\r\n",
		"version 1, overlong, no end":   "PROXY TCP4 " + strings.Repeat("1", 107),
		"version 1, LF alone":           "PROXY TCP4 192.0.2.1 198.51.100.2 5000 25\n",
		"version 1, another family":     "PROXY UDP4 192.0.2.1 198.51.100.2 5000 25\r\n",
		"version 1, family of one":      "PROXY TCP4 2001:db8::1 2001:db8::2 5000 25\r\n",
		"version 1, family of other":    "PROXY TCP6 192.0.2.1 198.51.100.2 5000 25\r\n",
		"version 1, a zone":             "PROXY TCP6 fe80::1%eth0 fe80::2%eth0 5000 25\r\n",
		"version 1, two blanks":         "PROXY TCP4  192.0.2.1 198.51.100.2 5000 25\r\n",
		"version 1, a port missing":     "PROXY TCP4 192.0.2.1 198.51.100.2 5000\r\n",
		"version 1, a word too many":    "PROXY TCP4 192.0.2.1 198.51.100.2 5000 25 1\r\n",
		"version 1, port 65536":         "PROXY TCP4 192.0.2.1 198.51.100.2 65536 25\r\n",
		"version 1, port with a zero":   "PROXY TCP4 192.0.2.1 198.51.100.2 05000 25\r\n",
		"version 1, port with a sign":   "PROXY TCP4 192.0.2.1 198.51.100.2 +5000 25\r\n",
		"version 1, a name":             "PROXY TCP4 localhost 198.51.100.2 5000 25\r\n",
		"version 1, nothing":            "PROXY \r\n",
		"version 2, too short":          v2(0x21, 0x11, block4[:11]),
		"version 2, too short for IPv6": v2(0x21, 0x21, block4),
		"version 2, of no length":       v2(0x21, 0x11, ""),
		"version 2, too long":           v2(0x21, 0x11, block4+strings.Repeat("x", MaxSize-16-11)),
		"version 2, 65535":              v2(0x21, 0x11, strings.Repeat("x", 65535)),
		"version 2, another version":    v2(0x31, 0x11, block4),
		"version 2, another command":    v2(0x22, 0x11, block4),
	} {
		if h, n, err := Parse([]byte(header)); err == nil || err == ErrIncomplete {
			t.Errorf("%s: %+v, %d, %v; want an error", claim, h, n, err)
		}
	}
}

// FuzzParse holds that a header's length never depends on what follows it, that
// every proper beginning of it is incomplete, and that it is bounded.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"PROXY TCP4 192.0.2.1 198.51.100.2 5000 25\r\nEHLO x\r\n", "PROXY UNKNOWN\r\n", "PROXY TCP6 ::1 ::2 1 2\r\n",
		v2(0x21, 0x11, block4), v2(0x21, 0x21, block6), v2(0x20, 0, ""), v2(0x21, 0x31, ""), "\r\n\r\n\x00",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n, err := Parse(b)
		if err != nil {
			return
		}
		if n < 15 || n > len(b) || n > MaxSize {
			t.Fatalf("header of %d bytes in %d", n, len(b))
		}
		if h.Local == h.Source.IsValid() || h.Source.IsValid() != h.Destination.IsValid() {
			t.Fatalf("header %+v is neither local nor of two addresses", h)
		}
		if again, m, err := Parse(append(b[:n:n], 'x')); err != nil || again != h || m != n {
			t.Fatalf("with another byte behind: %+v, %d, %v; was %+v, %d", again, m, err, h, n)
		}
		for i := range n {
			if _, _, err := Parse(b[:i]); err != ErrIncomplete {
				t.Fatalf("the first %d of %d bytes: %v", i, n, err)
			}
		}
	})
}
