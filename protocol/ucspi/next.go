package ucspi

import (
	"errors"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// nextEnv names the descriptor over which a listener hands on connections.
const nextEnv = "LISTEN_NEXT_FD"

// maxNextEnv is the longest environment of one connection, in bytes.
const maxNextEnv = 8 << 10

// Next is a listener that has another connection for a program that is done with
// one (rohrpost-listen(8), --per-process). Over a socket of type SOCK_SEQPACKET
// the program says with one byte that it is done; the listener answers with the
// next connection's descriptor and environment, NAME=value with a NUL behind
// each, or closes its end, which ends the program.
type Next struct{ fd, null int }

// NextOffer is the listener's offer, if there is one. It is taken out of the
// environment: programs that we start are told nothing of it.
func NextOffer(getenv func(string) string) (*Next, bool) {
	fd, err := strconv.Atoi(getenv(nextEnv))
	os.Unsetenv(nextEnv)
	if err != nil || fd < 3 || !isSocket(fd) {
		return nil, false
	}
	unix.CloseOnExec(fd)
	return &Next{fd: fd, null: -1}, true
}

// Wait ends the connection on descriptors 0 and 1 and waits for the next one,
// which then is on both of them, with its peer in the environment in place of
// the last one's. The error is io.EOF if there is to be none.
func (n *Next) Wait() error {
	if err := n.hangUp(); err != nil {
		return err
	}
	if err := again(func() error { return unix.Send(n.fd, []byte{'\n'}, unix.MSG_NOSIGNAL) }); err != nil {
		return os.NewSyscallError("send", err)
	}
	conn, env, err := n.receive()
	if err != nil {
		return err
	}
	defer unix.Close(conn)
	if err := replace(conn); err != nil {
		return err
	}
	for _, e := range os.Environ() {
		if name, _, _ := strings.Cut(e, "="); OfPeer(name) {
			os.Unsetenv(name)
		}
	}
	for e := range strings.SplitSeq(strings.TrimSuffix(env, "\x00"), "\x00") {
		if name, value, ok := strings.Cut(e, "="); ok {
			os.Setenv(name, value)
		}
	}
	return nil
}

// hangUp closes the connection, so that the client need not wait for our next one.
// Descriptors 0 and 1 stay taken: whatever is opened meanwhile must not get them.
func (n *Next) hangUp() error {
	if n.null < 0 {
		fd, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			return &os.PathError{Op: "open", Path: os.DevNull, Err: err}
		}
		n.null = fd
	}
	return replace(n.null)
}

// replace makes fd descriptors 0 and 1.
func replace(fd int) error {
	for to := range 2 {
		if err := unix.Dup3(fd, to, 0); err != nil {
			return os.NewSyscallError("dup3", err)
		}
	}
	return nil
}

// receive waits for a descriptor and the text with it.
func (n *Next) receive() (fd int, text string, err error) {
	buf, oob := make([]byte, maxNextEnv), make([]byte, unix.CmsgSpace(4))
	var got, gotOOB, flags int
	err = again(func() (err error) {
		got, gotOOB, flags, _, err = unix.Recvmsg(n.fd, buf, oob, unix.MSG_CMSG_CLOEXEC)
		return err
	})
	switch {
	case err != nil:
		return -1, "", os.NewSyscallError("recvmsg", err)
	case got == 0:
		return -1, "", io.EOF
	}
	fd, err = received(oob[:gotOOB])
	if err == nil && flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 {
		unix.Close(fd)
		err = errors.New("listener sent too much")
	}
	return fd, string(buf[:got]), err
}

// received is the one descriptor of a control message.
func received(oob []byte) (int, error) {
	all, err := unix.ParseSocketControlMessage(oob)
	if err == nil && len(all) == 1 {
		if fds, err := unix.ParseUnixRights(&all[0]); err == nil && len(fds) == 1 {
			return fds[0], nil
		}
	}
	return -1, errors.New("listener sent no connection")
}

func again(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

// SendNext is the listener's side: it hands a connection and its environment to
// the program at the other end of socket, without waiting.
func SendNext(socket, conn int, env []string) error {
	text := strings.Join(env, "\x00") + "\x00"
	return again(func() error {
		return unix.Sendmsg(socket, []byte(text), unix.UnixRights(conn), nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	})
}

// NextSetting is the setting that offers a program the descriptor fd.
func NextSetting(fd int) string { return nextEnv + "=" + strconv.Itoa(fd) }

// What of an environment describes one connection: whole names, and beginnings
// of names.
var (
	peerNames    = []string{"PROTO", "REMOTE_ADDR", "REMOTE_PORT", "REMOTE_HOST"}
	peerPrefixes = []string{"TCPREMOTE", "TCPLOCAL", "TCPCONN", "TCP6REMOTE", "TCP6LOCAL", "UNIXREMOTE", "UNIXLOCAL", "UNIXCONN",
		"IPCREMOTE", "IPCLOCAL", "IPCCONN", "SSL", "TLS_"}
)

// OfPeer reports whether an environment variable describes one connection, and
// so must not outlive it.
func OfPeer(name string) bool {
	for _, s := range peerNames {
		if name == s {
			return true
		}
	}
	for _, s := range peerPrefixes {
		if strings.HasPrefix(name, s) {
			return true
		}
	}
	return false
}
