package message

// base64Values has the six bits of each byte of the alphabet, and above them what
// other bytes are.
var base64Values = func() (v [256]uint8) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for i := range v {
		v[i] = notBase64
	}
	for i := range len(alphabet) {
		v[alphabet[i]] = uint8(i)
	}
	v['='] = padding
	return v
}()

const (
	notBase64 = 64
	padding   = 65
)

// base64 decodes what is ahead, as far as it fits into p.
func (d *Decoder) base64(p []byte) (n int) {
	used := 0
	for _, c := range d.ahead {
		if n == len(p) {
			break
		}
		used++
		v := base64Values[c]
		switch v {
		case notBase64:
			continue
		case padding:
			d.nbits = 0
			continue
		}
		d.bits = d.bits<<6 | uint32(v)
		d.nbits += 6
		if d.nbits >= 8 {
			d.nbits -= 8
			p[n] = byte(d.bits >> d.nbits)
			n++
		}
	}
	d.ahead = d.ahead[used:]
	return n
}

// appendBase64 decodes s, leniently like Decoder.
func appendBase64(dst, s []byte) []byte {
	d := Decoder{ahead: s}
	n := len(dst)
	dst = append(dst, s...) // more than what it decodes to
	return dst[:n+d.base64(dst[n:])]
}
