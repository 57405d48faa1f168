package main

import (
	"os"

	"rohrpost/protocol/address"
	"rohrpost/protocol/smtp"
	"rohrpost/protocol/smtp/server"
)

// The exit codes of a RCPTCHECK program; any other accepts.
const (
	rcptCheckNo    = 100
	rcptCheckLater = 111
	rcptCheckNoRun = 120
)

// askRcptCheck runs the program in RCPTCHECK about one recipient. It decides
// which names exist in our domains; whether a domain is ours is not its
// question. The zero Reply accepts.
func (b *backend) askRcptCheck(m *server.Mail, to address.Address) smtp.Reply {
	c, err := startChild([]string{b.set.rcptCheck}, b.environ(m, "RECIPIENT="+to.String()), b.set.childLimit, nil, os.Stderr)
	var code int
	if err == nil {
		code, err = c.wait()
	}
	switch {
	case err != nil:
		b.log.Event("rcptcheck-failed", "to", "<"+to.String()+">", "err", err)
		return replyRcptFailed
	case code == rcptCheckNo:
		return replyRcptNo
	case code == rcptCheckLater || code == rcptCheckNoRun:
		b.log.Event("rcptcheck-failed", "to", "<"+to.String()+">", "code", code)
		return replyRcptFailed
	}
	return smtp.Reply{}
}
