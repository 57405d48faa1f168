package server

import (
	"errors"
	"io"
	"strings"
	"testing"

	"rohrpost/protocol/line"
	"rohrpost/protocol/smtp"
	"rohrpost/protocol/ucspi"
)

// FuzzSession holds whole sessions to what must be true of all of them: the
// backend is called in order (box panics otherwise), a reply is a reply and
// holds nothing that the client said, no message is kept that has anything but
// LF for line ends, and the session ends for a reason that is known.
func FuzzSession(f *testing.F) {
	for _, s := range []string{
		opening + "Subject: x\r\n\r\n.\r\nQUIT\r\n",
		"EHLO x\r\nMAIL FROM:<> SIZE=1 BODY=8BITMIME RET=FULL ENVID=a AUTH=<> SMTPUTF8\r\nRCPT TO:<a@b> NOTIFY=NEVER ORCPT=rfc822;a\r\nBDAT 2\r\na\nBDAT 0 LAST\r\n",
		"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n.\r\nQUIT\r\n",
		"EHLO x\r\nAUTH PLAIN\r\nAGEAYg==\r\nAUTH LOGIN\r\n*\r\n",
		"HELO [1.2.3.4]\r\nVRFY x\r\nEXPN x\r\nHELP\r\nNOOP\r\nRSET\r\nXYZ\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"BDAT 99999999999999999999\r\n",
	} {
		for mode := range byte(4) {
			f.Add(s, mode)
		}
	}
	f.Fuzz(func(t *testing.T, input string, mode byte) {
		b := &box{lmtp: mode&1 != 0}
		c := Config{LMTP: b.lmtp, Submission: mode == 2, DeliveryID: true, BinaryMIME: mode&8 != 0,
			Limits: Limits{MessageBytes: 1000, Recipients: 3},
			Login:  func(login, password string) LoginVerdict { return LoginVerdict(len(password) % 3) }}
		said, err := converse(t, b, c, input)
		if err != nil && err != io.ErrUnexpectedEOF && !errors.Is(err, line.ErrFlood) && !errors.Is(err, ucspi.ErrTimeout) {
			t.Fatalf("%q: %v", input, err)
		}
		checkReplies(t, said)
		for _, e := range b.mails {
			checkParcel(t, e)
		}
	})
}

func checkReplies(t *testing.T, said string) {
	t.Helper()
	body, ok := strings.CutSuffix(said, "\r\n")
	if !ok {
		t.Fatalf("the last reply has no end: %q", said)
	}
	for _, l := range strings.Split(body, "\r\n") {
		if len(l) < 4 || l[0] < '2' || l[0] > '5' || l[3] != ' ' && l[3] != '-' || len(l) > 510 {
			t.Fatalf("%q is no reply", l)
		}
		for i := 0; i < len(l); i++ {
			if l[i] < ' ' || l[i] >= 0x7f {
				t.Fatalf("%q holds a byte of the client", l)
			}
		}
	}
}

func checkParcel(t *testing.T, e *parcel) {
	t.Helper()
	if e.state != "ended" {
		return
	}
	if len(e.rcpts) == 0 || len(e.rcpts) > 3 {
		t.Fatalf("a message for %d recipients was accepted", len(e.rcpts))
	}
	if text := e.text.String(); e.mail.Body != bodyBinary && strings.ContainsAny(text, "\r\x00") || len(text) > 1000 {
		t.Fatalf("message %q was accepted", text)
	}
}

// FuzzParams: parameters that are accepted can be written down and read again,
// and hide nothing.
func FuzzParams(f *testing.F) {
	f.Add("SIZE=10 BODY=8BITMIME RET=HDRS ENVID=QQ+2B SMTPUTF8 AUTH=a+40b")
	f.Add("NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;a+40b XDELIVERYID=a XAGAIN=1")
	f.Fuzz(func(t *testing.T, text string) {
		s := &Session{conf: Config{LMTP: true, DeliveryID: true, Login: func(string, string) LoginVerdict { return LoginDenied }}, client: &Client{}, extended: true}
		m := &Mail{Size: -1}
		if parseParams(s, text, m, mailParams).Code == 0 {
			checkWord(t, text, m.Ret, m.EnvID, m.Body, m.Auth)
			if m.Size < -1 {
				t.Fatalf("%q: size %d", text, m.Size)
			}
		}
		r := &Rcpt{}
		if parseParams(s, text, r, rcptParams).Code == 0 {
			checkWord(t, text, r.Notify, r.ORcpt, r.DeliveryID)
		}
	})
}

// checkWord wants values that could stand in a command again.
func checkWord(t *testing.T, text string, values ...string) {
	t.Helper()
	for _, v := range values {
		for i := 0; i < len(v); i++ {
			if v[i] <= ' ' || v[i] >= 0x7f {
				t.Fatalf("%q gives %q", text, v)
			}
		}
		if kind, xtext, ok := strings.Cut(v, ";"); ok && kind == "rfc822" {
			if _, err := smtp.DecodeXtext(xtext); err != nil {
				t.Fatalf("%q gives %q", text, v)
			}
		}
	}
}
