package pop3

import "strings"

// apop is APOP. The digest takes the place of the password in what the
// authenticator reads, and our timestamp is the third field. It is off by
// default: it needs passwords in plain text on our side, and MD5 with a text of
// the attacker's choice gives them away (CVE-2007-1558).
func (s *session) apop(arg string) {
	if s.account.Stamp == "" {
		s.no("APOP is not offered")
		return
	}
	name, digest, _ := strings.Cut(arg, " ")
	if name == "" || !isDigest(digest) {
		s.no("APOP needs a name and a digest")
		return
	}
	s.login("APOP", name, digest, s.account.Stamp)
}

// isDigest reports whether d is an MD5 digest in lower case hexadecimal.
func isDigest(d string) bool {
	for i := range len(d) {
		if c := d[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(d) == 32
}
