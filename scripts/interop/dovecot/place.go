package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// The servers.
const (
	imapd   = "imapd"
	dovecot = "dovecot"
	courier = "courier"
)

// place is a directory in which the programs can be run.
type place struct {
	dir, dovecot, courier string
	kept                  bool
	user, group           string
	credential            *syscall.Credential // of the programs; nil: our own
}

// newPlace makes the directory. Dovecot serves no mail to root, so that root runs all
// programs as the user mail; these are copied to where that user can reach them.
func newPlace(o options) (*place, error) {
	p := &place{dir: o.keep, dovecot: o.dovecot, courier: o.courier, kept: o.keep != ""}
	if _, err := os.Stat(p.dovecot); err != nil {
		return nil, fmt.Errorf("%w (install dovecot-imapd)", err)
	}
	u, err := user.Current()
	if err == nil && u.Uid == "0" {
		u, err = user.Lookup("mail")
	}
	if err != nil {
		return nil, err
	}
	g, err := user.LookupGroupId(u.Gid)
	if err != nil {
		return nil, err
	}
	p.user, p.group = u.Username, g.Name
	if os.Getuid() == 0 {
		if p.credential, err = credential(u); err != nil {
			return nil, err
		}
	}
	if p.kept {
		err = os.MkdirAll(p.dir, 0o755)
	} else {
		p.dir, err = os.MkdirTemp("", "rohrpost-dovecot-")
	}
	if err != nil {
		return nil, err
	}
	for _, program := range []string{"imapd", "deliver"} {
		if err := copyFile(filepath.Join(o.bin, program), p.path(program)); err != nil {
			return nil, fmt.Errorf("%w (make build)", err)
		}
	}
	return p, errors.Join(os.Chmod(p.dir, 0o755), p.own(p.dir))
}

// path is where something of this place is.
func (p *place) path(name string) string { return filepath.Join(p.dir, name) }

func credential(u *user.User) (*syscall.Credential, error) {
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
}

// own gives a tree to the programs' user.
func (p *place) own(tree string) error {
	if p.credential == nil {
		return nil
	}
	return filepath.Walk(tree, func(path string, _ os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(p.credential.Uid), int(p.credential.Gid))
	})
}

// command is a program as the programs' user. The zone is one that is not UTC, so
// that who forgets it is found out.
func (p *place) command(home, program string, args ...string) *exec.Cmd {
	c := exec.Command(program, args...)
	c.Dir = home
	c.Env = []string{"HOME=" + home, "USER=" + p.user, "TZ=Asia/Kolkata", "GOMAXPROCS=1"}
	if p.credential != nil {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: p.credential}
	}
	return c
}

func (p *place) remove() {
	if !p.kept {
		os.RemoveAll(p.dir)
	}
}

// host is one Maildir that all work on.
type host struct {
	*place
	dir      string // the home, with Maildir in it
	together bool   // all work at once
	ledger   *ledger
}

// config is all that Dovecot has to know.
const config = `base_dir = %[1]s/run
state_dir = %[1]s/run
log_path = /dev/stderr
mail_home = %[1]s
mail_location = maildir:%[1]s/Maildir
protocols = imap
ssl = no
first_valid_uid = 1
first_valid_gid = 1
default_internal_user = %[2]s
default_internal_group = %[3]s
default_login_user = %[2]s
mail_max_userip_connections = 0
namespace inbox {
  inbox = yes
}
`

// host makes a home with an empty Maildir.
func (p *place) host(name string) (*host, error) {
	h := &host{place: p, dir: p.path(name), ledger: newLedger()}
	for _, dir := range []string{"run", "Maildir/cur", "Maildir/new", "Maildir/tmp"} {
		if err := os.MkdirAll(filepath.Join(h.dir, dir), 0o700); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(h.config(), fmt.Appendf(nil, config, h.dir, p.user, p.group), 0o600); err != nil {
		return nil, err
	}
	return h, p.own(h.dir)
}

func (h *host) config() string  { return filepath.Join(h.dir, "dovecot.conf") }
func (h *host) maildir() string { return filepath.Join(h.dir, "Maildir") }

// folder is where a mailbox lies.
func (h *host) folder(mailbox string) string {
	if mailbox == inbox {
		return h.maildir()
	}
	return filepath.Join(h.maildir(), "."+mailbox)
}

// server is the command for one session of a server, after login.
func (h *host) server(name string) *exec.Cmd {
	switch name {
	case imapd:
		return h.command(h.dir, h.path("imapd"), h.maildir())
	case courier:
		c := h.command(h.dir, h.courier, "Maildir")
		c.Env = append(c.Env, "AUTHENTICATED="+h.user, "IMAP_KEYWORDS=1", "IMAP_CAPABILITY=IMAP4rev1 UIDPLUS")
		return c
	}
	return h.command(h.dir, h.dovecot, "-c", h.config())
}

// harmless reports whether a line of a server's log says nothing of a problem.
func harmless(line string) bool {
	return strings.Contains(line, ": Info: ") || strings.HasPrefix(line, "imapd: session ") || strings.HasPrefix(line, "INFO: ")
}
