package address

// The parameters of Punycode for domain names (RFC 3492 section 5).
const (
	punyBase     = 36
	punyTMin     = 1
	punyTMax     = 26
	punySkew     = 38
	punyDamp     = 700
	punyInitBias = 72
	punyInitN    = 0x80
)

const punyDigits = "abcdefghijklmnopqrstuvwxyz0123456789"

// punycode encodes a label (RFC 3492 section 6.3), without the prefix "xn--".
// Labels are short, so nothing here can overflow.
func punycode(label []rune) string {
	out := make([]byte, 0, 2*len(label))
	for _, r := range label {
		if r < punyInitN {
			out = append(out, byte(r))
		}
	}
	basic := len(out)
	if basic > 0 {
		out = append(out, '-')
	}
	n, delta, bias := rune(punyInitN), 0, punyInitBias
	for done := basic; done < len(label); {
		m := smallestFrom(label, n)
		delta += int(m-n) * (done + 1)
		n = m
		for _, r := range label {
			if r < n {
				delta++
			}
			if r == n {
				out = punyNumber(out, delta, bias)
				bias = punyAdapt(delta, done+1, done == basic)
				delta = 0
				done++
			}
		}
		delta++
		n++
	}
	return string(out)
}

// smallestFrom is the smallest code point of the label that is at least n.
func smallestFrom(label []rune, n rune) rune {
	m := rune(0x10ffff)
	for _, r := range label {
		if r >= n && r < m {
			m = r
		}
	}
	return m
}

// punyNumber appends delta as a generalised variable-length integer.
func punyNumber(out []byte, delta, bias int) []byte {
	for k := punyBase; ; k += punyBase {
		t := min(max(k-bias, punyTMin), punyTMax)
		if delta < t {
			return append(out, punyDigits[delta])
		}
		out = append(out, punyDigits[t+(delta-t)%(punyBase-t)])
		delta = (delta - t) / (punyBase - t)
	}
}

// punyAdapt is the next bias (RFC 3492 section 6.1).
func punyAdapt(delta, points int, first bool) int {
	if first {
		delta /= punyDamp
	} else {
		delta /= 2
	}
	delta += delta / points
	k := 0
	for ; delta > (punyBase-punyTMin)*punyTMax/2; k += punyBase {
		delta /= punyBase - punyTMin
	}
	return k + (punyBase-punyTMin+1)*delta/(delta+punySkew)
}
