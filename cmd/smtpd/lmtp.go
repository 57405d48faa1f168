package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"rohrpost/cmd/internal/frame"
	"rohrpost/cmd/internal/route"
	"rohrpost/maildir"
	"rohrpost/protocol/smtp"
	"rohrpost/protocol/smtp/client"
	"rohrpost/protocol/smtp/server"
)

// lmtpInFlight is how many messages may be with deliver at a time: as many as
// share the sync of a directory.
const lmtpInFlight = 50

// pipe is deliver --lmtp, which runs as long as the session does.
type pipe struct {
	conn *client.Conn
	cmd  *exec.Cmd
	in   *os.File
	out  *os.File
}

// startPipe starts deliver. It learns of our configuration by the environment.
func startPipe(b *backend) (*pipe, error) {
	path, err := frame.Libexec("deliver")
	if err != nil {
		return nil, err
	}
	p := &pipe{cmd: exec.Command(path, "--lmtp")}
	p.cmd.Env = append(os.Environ(), "ROHRPOST_ETC="+b.set.etcDir.Path)
	if b.set.mail != "" {
		p.cmd.Env = append(p.cmd.Env, "ROHRPOST_MAIL="+b.set.mail)
	}
	p.cmd.Stderr = os.Stderr
	theirIn, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirIn.Close()
	out, theirOut, err := os.Pipe()
	if err != nil {
		in.Close()
		return nil, err
	}
	defer theirOut.Close()
	p.in, p.out, p.cmd.Stdin, p.cmd.Stdout = in, out, theirIn, theirOut
	if err := p.cmd.Start(); err != nil {
		in.Close()
		out.Close()
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	return p, p.greet(b)
}

func (p *pipe) greet(b *backend) error {
	p.conn = client.New(p.out, p.in)
	p.conn.Timeout = b.set.childLimit
	if err := p.conn.Hello(b.set.me); err != nil {
		p.close()
		return fmt.Errorf("deliver: %w", err)
	}
	return nil
}

// close ends the conversation; deliver ends with it.
func (p *pipe) close() {
	p.in.Close()
	p.cmd.Wait()
	p.out.Close()
}

// handover is a message on its way to deliver. It goes there as it comes, so
// nothing holds the whole of it.
type handover struct {
	b     *backend
	mail  *server.Mail
	rcpts []client.Recipient
	text  *io.PipeWriter
	sent  chan struct{} // closed when deliver has given its verdicts
	said  []smtp.Reply
	err   error
}

// Rcpt judges a recipient. Whether a mailbox takes the message is deliver's
// verdict; here only names that are nobody's are refused.
func (h *handover) Rcpt(r *server.Rcpt) smtp.Reply {
	target, err := h.b.set.table.Resolve(r.To)
	no := smtp.Reply{}
	switch {
	case err != nil:
		h.b.log.Event("route-failed", "to", "<"+r.To.String()+">", "err", err)
		no = replyLater
	case target.Kind == route.Remote:
		no = replyNoRelay
	case target.Kind == route.Unknown:
		no = replyNoUser
	}
	if no.Code != 0 {
		return h.b.refuse(no, "from", "<"+h.mail.From.String()+">", "to", "<"+r.To.String()+">")
	}
	h.rcpts = append(h.rcpts, client.Recipient{Address: target.Address.String()})
	return smtp.Reply{}
}

// Begin starts deliver, if it does not run, and the transaction there.
func (h *handover) Begin() smtp.Reply {
	if err := h.b.needPipe(); err != nil {
		h.b.log.Event("deliver-failed", "err", err)
		return replyLater
	}
	id, err := maildir.SystemNamer().Next()
	if err != nil {
		h.b.log.Event("deliver-failed", "err", err)
		return replyLater
	}
	text, w := io.Pipe()
	h.text, h.sent = w, make(chan struct{})
	t := client.Transaction{Sender: h.mail.From.String(), Params: mailParams(h.mail), Recipients: h.rcpts, Message: text}
	conn := h.b.pipe.conn
	go func() {
		defer close(h.sent)
		h.said, h.err = conn.Send(t)
		text.CloseWithError(errHandedOver) // so that no writer waits for a reader that is gone
	}()
	// If this fails, deliver has failed, and the verdict will say so.
	w.Write(h.b.received(h.mail, id, h.only()))
	return smtp.Reply{}
}

// only is the recipient if there is a single one.
func (h *handover) only() string {
	if len(h.rcpts) == 1 {
		return h.rcpts[0].Address
	}
	return ""
}

// errHandedOver ends what is still written after deliver has stopped reading.
var errHandedOver = errors.New("deliver reads no more of the message")

// errTakenBack is a message that was refused, or whose client has gone, before
// its end.
var errTakenBack = errors.New("message taken back")

// needPipe starts deliver anew if it has died.
func (b *backend) needPipe() (err error) {
	if b.pipe != nil {
		select {
		case <-b.pipe.conn.Done():
			b.pipe.close()
			b.pipe = nil
		default:
			return nil
		}
	}
	b.pipe, err = startPipe(b)
	if err != nil {
		b.pipe = nil
	}
	return err
}

func (h *handover) Write(p []byte) (int, error) { return h.text.Write(p) }

// End hands deliver's verdicts on as soon as it has given them.
func (h *handover) End(verdict func(...smtp.Reply)) {
	h.text.Close()
	go func() {
		<-h.sent
		if h.err != nil {
			h.b.log.Event("deliver-failed", "err", h.err)
			h.said = make([]smtp.Reply, len(h.rcpts))
			for i := range h.said {
				h.said[i] = replyLater
			}
		}
		verdict(h.said...)
	}()
}

// Abort takes the message back: deliver never sees its end.
func (h *handover) Abort() {
	if h.text != nil {
		h.text.CloseWithError(errTakenBack)
		<-h.sent
	}
}

// mailParams is what deliver is told beside the sender. It makes no reports, so
// DSN is not offered in this mode, and its parameters never come.
func mailParams(m *server.Mail) string {
	var p []string
	if m.Body != "" {
		p = append(p, "BODY="+m.Body)
	}
	if m.UTF8 {
		p = append(p, "SMTPUTF8")
	}
	return strings.Join(p, " ")
}
