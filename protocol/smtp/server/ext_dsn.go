package server

import (
	"strings"

	"rohrpost/protocol/smtp"
)

// The bounds of RFC 3461 sections 4.2 and 4.4, in bytes of xtext.
const (
	maxEnvID = 100
	maxORcpt = 500
)

// dsn is RFC 3461: what the sender wants to hear about its message.
var dsn = extension{
	offer: func(s *Session) (string, bool) { return "DSN", !s.conf.NoDSN },
	mail:  []param[Mail]{{"RET", setRet}, {"ENVID", setEnvID}},
	rcpt:  []param[Rcpt]{{"NOTIFY", setNotify}, {"ORCPT", setORcpt}},
}

func setRet(_ *Session, m *Mail, value string) smtp.Reply {
	v := strings.ToUpper(value)
	if v != "FULL" && v != "HDRS" {
		return replySyntax
	}
	m.Ret = v
	return smtp.Reply{}
}

func setEnvID(_ *Session, m *Mail, value string) smtp.Reply {
	if _, err := smtp.DecodeXtext(value); err != nil || value == "" || len(value) > maxEnvID {
		return replySyntax
	}
	m.EnvID = value
	return smtp.Reply{}
}

// setNotify takes NEVER, or a list of the other three, each once.
func setNotify(_ *Session, r *Rcpt, value string) smtp.Reply {
	v := strings.ToUpper(value)
	if v == "NEVER" {
		r.Notify = v
		return smtp.Reply{}
	}
	asked := map[string]bool{}
	for _, word := range strings.Split(v, ",") {
		if asked[word] || word != "SUCCESS" && word != "FAILURE" && word != "DELAY" {
			return replySyntax
		}
		asked[word] = true
	}
	var list []string
	for _, word := range []string{"SUCCESS", "FAILURE", "DELAY"} {
		if asked[word] {
			list = append(list, word)
		}
	}
	r.Notify = strings.Join(list, ",")
	return smtp.Reply{}
}

// setORcpt takes "type;address", the address in xtext. The types are those of
// RFC 3461 and RFC 6533.
func setORcpt(_ *Session, r *Rcpt, value string) smtp.Reply {
	kind, addr, ok := strings.Cut(value, ";")
	if !ok || addr == "" || len(value) > maxORcpt {
		return replySyntax
	}
	if !strings.EqualFold(kind, "rfc822") && !strings.EqualFold(kind, "utf-8") {
		return replySyntax
	}
	if _, err := smtp.DecodeXtext(addr); err != nil {
		return replySyntax
	}
	r.ORcpt = strings.ToLower(kind) + ";" + addr
	return smtp.Reply{}
}
