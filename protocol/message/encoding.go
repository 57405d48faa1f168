package message

import (
	"bytes"
	"io"
)

// Encoding is a content transfer encoding (RFC 2045 section 6).
type Encoding uint8

const (
	Identity        Encoding = iota // 7bit, 8bit, binary, or none named
	QuotedPrintable                 // RFC 2045 section 6.7
	Base64                          // RFC 2045 section 6.8
	Unknown                         // one that nobody knows here: BINARY answers UNKNOWN-CTE
)

func encodingNamed(name []byte) Encoding {
	for _, e := range [...]struct {
		name string
		is   Encoding
	}{
		{"", Identity}, {"7bit", Identity}, {"8bit", Identity}, {"binary", Identity},
		{"quoted-printable", QuotedPrintable}, {"base64", Base64},
	} {
		if bytes.EqualFold(name, []byte(e.name)) {
			return e.is
		}
	}
	return Unknown
}

// Decoder reads an encoded body and hands on what it means. It is lenient: no
// input is an error, and nothing but the encoding's own bytes is lost.
//
//   - base64: bytes outside of the alphabet are passed over, an equals sign ends
//     a group wherever it stands, and decoding goes on behind it. Bits that do
//     not make a whole byte are dropped.
//   - quoted-printable: blanks at the end of a line are dropped, an equals sign
//     that is followed neither by two hexadecimal digits nor by the end of the
//     line is itself. Line ends are as in the source: read it through a Wire to
//     get CRLF.
//   - others: bytes are handed on as they are.
type Decoder struct {
	src      io.Reader
	encoding Encoding
	window   []byte
	ahead    []byte // of the window, not decoded yet
	err      error

	bits  uint32 // base64: those not handed on yet
	nbits int
}

// decodeWindow is in bytes. A run of blanks in quoted-printable that is longer
// is taken for text.
const decodeWindow = 8 << 10

// Reset begins to read src. The buffer is kept.
func (d *Decoder) Reset(src io.Reader, encoding Encoding) {
	if d.window == nil {
		d.window = make([]byte, decodeWindow)
	}
	*d = Decoder{src: src, encoding: encoding, window: d.window}
}

// Read hands on the next bytes decoded.
func (d *Decoder) Read(p []byte) (int, error) {
	switch {
	case len(p) == 0:
		return 0, nil
	case d.encoding != Base64 && d.encoding != QuotedPrintable:
		return d.src.Read(p)
	}
	for {
		var n int
		if d.encoding == Base64 {
			n = d.base64(p)
		} else {
			n = d.quotedPrintable(p)
		}
		if n > 0 {
			return n, nil
		}
		if d.err != nil {
			return 0, d.err
		}
		d.more()
	}
}

// more reads on behind what is ahead.
func (d *Decoder) more() {
	have := copy(d.window, d.ahead)
	n, err := fill(d.src, d.window[have:])
	d.ahead, d.err = d.window[:have+n], err
}
