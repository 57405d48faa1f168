package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const courierName = "Courier"

// courier is Courier's IMAP server. Its package conflicts with that of Dovecot's,
// so that it takes part from a directory where its packages lie unpacked.
func (b *bench) courier() contender {
	return contender{courierName, courierProgram(b.courierDir), func(name, dir string) (*server, error) {
		return startCourier(name, dir, b.courierDir)
	}}
}

func courierProgram(dir string) string { return filepath.Join(dir, "usr/bin/imapd") }

// courierPackages are what has to be unpacked.
const courierPackages = "courier-imap courier-base courier-authlib courier-authlib-userdb courier-authdaemon libcourier-unicode4"

// startCourier starts a Courier of its own with IMAP. Its paths are compiled in:
// it sees its files, configuration and sockets over those of the system in a
// mount namespace of its own.
func startCourier(name, dir, root string) (*server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &server{name: name, dir: dir, imap: fmt.Sprintf("127.0.0.1:%d", port), prefix: "INBOX."}
	mail := filepath.Join(dir, "mail")
	if s.maildirs, err = makeMaildirs(mail); err != nil {
		return nil, err
	}
	if err := courierUsers(dir, mail, root); err != nil {
		return nil, err
	}
	if s.group, err = newGroup(name); err != nil {
		return nil, err
	}
	script := filepath.Join(dir, "run")
	if err := write(script, fmt.Sprintf(courierRun, root, dir, port)); err != nil {
		return nil, err
	}
	if _, err := s.start(dir+"/log", nil, "unshare", "--mount", "sh", "-e", script); err != nil {
		return s, err
	}
	return s, s.answers(s.imap)
}

// courierUsers writes configuration and user database into dir/etc/courier, and
// makes dir/work, which the mount wants.
func courierUsers(dir, mail, root string) error {
	etc := filepath.Join(dir, "etc", "courier")
	var users strings.Builder
	for n := range mailUsers {
		fmt.Fprintf(&users, "%[1]s@%[2]s\tuid=%[3]d|gid=%[3]d|home=%[4]s/%[1]s|shell=/bin/sh|systempw=%[5]s|mail=%[4]s/%[1]s/Maildir\n",
			userName(n), mailDomain, mailUID, mail, courierHash)
	}
	err := errors.Join(os.MkdirAll(etc, 0o755), os.Mkdir(filepath.Join(dir, "work"), 0o755), write(etc+"/authdaemonrc", courierAuth), write(etc+"/userdb", users.String()), os.Chmod(etc+"/userdb", 0o600))
	if err != nil {
		return err
	}
	for _, file := range []string{"imapd", "imapd-ssl"} {
		text, err := os.ReadFile(filepath.Join(root, "etc/courier", file))
		if err == nil {
			err = os.WriteFile(filepath.Join(etc, file), text, 0o644)
		}
		if err != nil {
			return err
		}
	}
	// Its library for file events waits for ever if the user has no name.
	passwd, err := os.ReadFile("/etc/passwd")
	if err != nil {
		return err
	}
	passwd = fmt.Appendf(passwd, "%s:x:%d:%[2]d::/:/bin/sh\n", userName(0), mailUID)
	return os.WriteFile(filepath.Join(dir, "etc", "passwd"), passwd, 0o644)
}

// courierHash is mailPassword as crypt(3) keeps it.
const courierHash = "$1$l8LzhsCC$qCEkhTYNUSL/TS9gfMDia0"

const courierAuth = `authmodulelist="authuserdb"
authmodulelistorig="authuserdb"
daemons=5
authdaemonvar=/run/courier/authdaemon
DEBUG_LOGIN=0
DEFAULTOPTIONS=""
LOGGEROPTS=""
`

// courierRun is the package's start script for one service, with room for many
// sessions from one host.
const courierRun = `mount -t overlay overlay -o lowerdir=%[1]s/usr:/usr /usr
mount -t overlay overlay -o lowerdir=/etc,upperdir=%[2]s/etc,workdir=%[2]s/work /etc
mount -t tmpfs tmpfs /run
mkdir -p /run/courier/authdaemon
makeuserdb
set -a
. /etc/courier/imapd
. /etc/courier/imapd-ssl
IMAP_STARTTLS=NO
umask $IMAP_UMASK
ulimit -v $IMAP_ULIMITD
trap 'kill $auth $tcpd' TERM
/usr/lib/courier/courier-authlib/authdaemond &
auth=$!
couriertcpd -address=127.0.0.1 -maxprocs=1000 -maxperip=1000 $TCPDOPTS %[3]d /usr/lib/courier/courier/imaplogin /usr/bin/imapd Maildir &
tcpd=$!
wait
`
