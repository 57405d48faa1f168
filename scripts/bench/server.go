package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// mailUID is the user that every contender's mailboxes belong to. It needs no
// entry in the system's user list.
const mailUID = 5000

const (
	mailDomain   = "bench.test"
	mailUsers    = 4 // recipients, in turn: u0, u1, …
	mailPassword = "secret"
)

// A server is one contender, running: its addresses and where it keeps mail.
type server struct {
	*group
	name     string
	dir      string
	smtp     string // address of SMTP, or of LMTP if lmtp is set
	lmtp     bool
	pop3     string
	imap     string
	prefix   string // of the names of IMAP folders
	maildirs []string
}

func (s *server) smtpAddr() string { return s.smtp }

func (s *server) pop3Addr() string { return s.pop3 }

// A contender can be started. It is left out if its program is not there.
type contender struct {
	name, program string
	start         func(name, dir string) (*server, error)
}

var (
	postfix = contender{"Postfix", "postfix", startPostfix}
	dovecot = contender{"Dovecot", "dovecot", startDovecot}
)

// errLeftOut wraps the reason why a contender cannot take part here.
var errLeftOut = errors.New("left out")

// startAll starts contenders side by side; stopAll ends them.
func (b *bench) startAll(list ...contender) ([]*server, error) {
	var servers []*server
	for _, c := range list {
		if c.name != ours && !have(c.program) {
			continue
		}
		b.started++
		s, err := c.start(c.name, filepath.Join(b.dir, fmt.Sprintf("%d-%s", b.started, strings.Map(plainRune, c.name))))
		if errors.Is(err, errLeftOut) {
			fmt.Fprintf(os.Stderr, "bench: %v\n", err)
			continue
		}
		if s != nil && s.group != nil {
			servers = append(servers, s)
		}
		if err != nil {
			stopAll(servers)
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return servers, nil
}

func stopAll(servers []*server) {
	for _, s := range servers {
		s.stop()
	}
}

func userName(n int) string { return "u" + strconv.Itoa(n) }

// recipients are the addresses mail is sent to.
func recipients() []string {
	var r []string
	for n := range mailUsers {
		r = append(r, userName(n)+"@"+mailDomain)
	}
	return r
}

// makeMaildirs makes DIR/uN/Maildir for each user, owned by mailUID.
func makeMaildirs(dir string) ([]string, error) {
	// Postfix's own user has to come through to the queue beside dir.
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, err
	}
	var made []string
	for n := range mailUsers {
		home := filepath.Join(dir, userName(n))
		box := filepath.Join(home, "Maildir")
		for _, d := range []string{dir, home, box, box + "/tmp", box + "/new", box + "/cur"} {
			if err := os.MkdirAll(d, 0o700); err != nil {
				return nil, err
			}
			if err := os.Chown(d, mailUID, mailUID); err != nil {
				return nil, err
			}
		}
		made = append(made, box)
	}
	return made, nil
}

// empty removes the messages, and nothing else, from the mailboxes.
func (s *server) empty() error {
	for _, box := range s.maildirs {
		for _, d := range []string{"new", "cur", "tmp"} {
			names, err := filepath.Glob(filepath.Join(box, d, "*"))
			if err != nil {
				return err
			}
			for _, n := range names {
				if err := os.Remove(n); err != nil {
					return err
				}
			}
		}
	}
	unix.Sync()
	return nil
}

// freePort is a port of the loopback interface that nobody listens on. Peers
// that cannot choose one themselves are told it.
func freePort() (int, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// answers waits until somebody listens on addr.
func (s *server) answers(addr string) error {
	for range 200 {
		c, err := net.Dial("tcp4", addr)
		if err == nil {
			defer c.Close()
			c.SetDeadline(time.Now().Add(5 * time.Second))
			_, err = bufio.NewReader(c).ReadString('\n')
			if err == nil {
				return nil
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	return fmt.Errorf("%s does not answer on %s\n%s", s.name, addr, log[max(len(log)-1000, 0):])
}

func write(path, text string) error { return os.WriteFile(path, []byte(text), 0o644) }

// startPostfix starts a Postfix of its own: configuration, queue, spool and
// mailboxes in dir, no chroot, everything else as Postfix has it by default.
func startPostfix(name, dir string) (*server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &server{name: name, dir: dir, smtp: fmt.Sprintf("127.0.0.1:%d", port)}
	etc, boxes := filepath.Join(dir, "etc"), filepath.Join(dir, "mail")
	if s.maildirs, err = makeMaildirs(boxes); err != nil {
		return nil, err
	}
	for _, d := range []string{etc, dir + "/queue", dir + "/data"} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return nil, err
		}
	}
	if out, err := exec.Command("chown", "postfix", dir+"/data").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("chown postfix: %s", out)
	}
	var mailboxes strings.Builder
	for n := range mailUsers {
		fmt.Fprintf(&mailboxes, " {%s@%s = %s/Maildir/}", userName(n), mailDomain, userName(n))
	}
	err = errors.Join(
		write(etc+"/main.cf", fmt.Sprintf(postfixMain, dir, mailDomain, boxes, mailboxes.String(), mailUID)),
		write(etc+"/master.cf", fmt.Sprintf(postfixMaster, port)))
	if err != nil {
		return nil, err
	}
	if s.group, err = newGroup(name); err != nil {
		return nil, err
	}
	if _, err := s.start(dir+"/log", nil, "postfix", "-c", etc, "start-fg"); err != nil {
		return s, err
	}
	return s, s.answers(s.smtp)
}

const postfixMain = `compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.%[2]s
mydestination =
virtual_mailbox_domains = %[2]s
virtual_mailbox_base = %[3]s
virtual_mailbox_maps = inline:{%[4]s }
virtual_uid_maps = static:%[5]d
virtual_gid_maps = static:%[5]d
smtpd_client_connection_count_limit = 1000
`

const postfixMaster = `127.0.0.1:%d inet n - n - 1000 smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`

// startDovecot starts a Dovecot of its own with LMTP, POP3 and IMAP.
func startDovecot(name, dir string) (*server, error) {
	lmtp, err1 := freePort()
	pop3, err2 := freePort()
	imap, err3 := freePort()
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	s := &server{name: name, dir: dir, lmtp: true,
		smtp: fmt.Sprintf("127.0.0.1:%d", lmtp), pop3: fmt.Sprintf("127.0.0.1:%d", pop3), imap: fmt.Sprintf("127.0.0.1:%d", imap)}
	var err error
	if s.maildirs, err = makeMaildirs(filepath.Join(dir, "mail")); err != nil {
		return nil, err
	}
	var users strings.Builder
	for n := range mailUsers {
		fmt.Fprintf(&users, "%s@%s:{PLAIN}%s\n", userName(n), mailDomain, mailPassword)
	}
	err = errors.Join(
		write(dir+"/users", users.String()),
		write(dir+"/dovecot.conf", fmt.Sprintf(dovecotConf, dir, lmtp, pop3, mailUID, imap)))
	if err != nil {
		return nil, err
	}
	if s.group, err = newGroup(name); err != nil {
		return nil, err
	}
	if _, err := s.start(dir+"/log", nil, "dovecot", "-F", "-c", dir+"/dovecot.conf"); err != nil {
		return s, err
	}
	return s, errors.Join(s.answers(s.smtp), s.answers(s.pop3), s.answers(s.imap))
}

// dovecotConf is for the 2.3 series; sessions are limited by default to fewer
// than the memory rows need.
const dovecotConf = `base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = %[1]s/log.dovecot
protocols = lmtp pop3 imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:~/Maildir
mail_max_userip_connections = 1000
namespace inbox {
  inbox = yes
}
passdb {
  driver = passwd-file
  args = %[1]s/users
}
userdb {
  driver = static
  args = uid=%[4]d gid=%[4]d home=%[1]s/mail/%%n allow_all_users=yes
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = %[2]d
  }
}
service pop3-login {
  inet_listener pop3 {
    port = %[3]d
  }
  process_limit = 1024
}
service pop3 {
  process_limit = 1024
}
service imap-login {
  inet_listener imap {
    port = %[5]d
  }
  process_limit = 1024
}
service imap {
  process_limit = 1024
}
`
