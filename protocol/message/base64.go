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
	for used < len(d.ahead) && n < len(p) {
		if d.nbits == 0 {
			k, m := base64Groups(p[n:], d.ahead[used:])
			n, used = n+k, used+m
			if used == len(d.ahead) || n == len(p) {
				break
			}
		}
		v := base64Values[d.ahead[used]]
		used++
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

// base64Groups decodes groups of four bytes as long as there is nothing else, and
// returns how much was written and read.
func base64Groups(p, s []byte) (n, used int) {
	for len(s)-used >= 4 && len(p)-n >= 3 {
		g := s[used : used+4]
		a, b, c, d := base64Values[g[0]], base64Values[g[1]], base64Values[g[2]], base64Values[g[3]]
		if a|b|c|d >= notBase64 {
			break
		}
		v := uint32(a)<<18 | uint32(b)<<12 | uint32(c)<<6 | uint32(d)
		p[n], p[n+1], p[n+2] = byte(v>>16), byte(v>>8), byte(v)
		n, used = n+3, used+4
	}
	return n, used
}

// appendBase64 decodes s, leniently like Decoder.
func appendBase64(dst, s []byte) []byte {
	d := Decoder{ahead: s}
	n := len(dst)
	dst = append(dst, s...) // more than what it decodes to
	return dst[:n+d.base64(dst[n:])]
}
