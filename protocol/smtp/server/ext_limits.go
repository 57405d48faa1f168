package server

import (
	"math"
	"strconv"
)

// limits is RFC 9422: a client that knows our bounds need not run into them.
var limits = extension{
	offer: func(s *Session) (string, bool) {
		l := s.conf.Limits
		if l.Recipients == math.MaxInt || l.Messages == math.MaxInt {
			return "", false
		}
		return "LIMITS RCPTMAX=" + strconv.Itoa(l.Recipients) + " MAILMAX=" + strconv.Itoa(l.Messages), true
	},
}
