// Package login is the step from before login to after it, for servers that
// begin with a stranger (pop3d, imapd): take the identity that an
// authenticator gave, then exec oneself under the same process number as the
// second half, which serves one mailbox and knows nothing of passwords.
package login

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"rohrpost/protocol/auth"
)

// ErrRoot is an account that is the system's root. Nobody reads mail as root.
var ErrRoot = errors.New("the account is root, and root has no mailbox here; read its mail through an alias")

// Exec becomes id and runs this very program with args, in id's directory and
// environment with the settings set added. It returns only if that failed; the
// process may then have id's identity already, and must not serve another login.
func Exec(id auth.Identity, args []string, set ...string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find own program file: %w", err)
	}
	if err := take(id); err != nil {
		return err
	}
	if err := os.Chdir(id.Dir); err != nil {
		return fmt.Errorf("home of the account: %w", err)
	}
	argv, env := append([]string{os.Args[0]}, args...), with(id.Env, set)
	err = syscall.Exec(self, argv, env)
	if err == syscall.EACCES {
		// The account may not pass through the directories that lead to our file.
		err = syscall.Exec("/proc/self/exe", argv, env)
	}
	return os.NewSyscallError("exec "+self, err)
}

// take takes id's groups, gid and uid, in all threads. Only root can change
// them; for anybody else they must be his own already. An authenticator that
// changed nothing, because its users are virtual ones that share the mail
// system's uid, is served as who we are, whoever that is.
func take(id auth.Identity) error {
	own := os.Geteuid()
	if id.UID == own {
		if own == 0 && Getenv(id.Env, "USER") == "root" {
			return ErrRoot
		}
		return nil
	}
	if own != 0 {
		return fmt.Errorf("the account has uid %d, this program uid %d: only root can change its uid", id.UID, own)
	}
	if len(id.GIDs) == 0 || id.UID == 0 {
		return ErrRoot
	}
	if err := syscall.Setgroups(id.GIDs); err != nil {
		return os.NewSyscallError("setgroups", err)
	}
	if err := syscall.Setresgid(id.GIDs[0], id.GIDs[0], id.GIDs[0]); err != nil {
		return os.NewSyscallError("setgid", err)
	}
	if err := syscall.Setresuid(id.UID, id.UID, id.UID); err != nil {
		return os.NewSyscallError("setuid", err)
	}
	if os.Getuid() != id.UID || os.Geteuid() != id.UID || os.Getegid() != id.GIDs[0] {
		return fmt.Errorf("change to uid %d did not take effect", id.UID)
	}
	return nil
}

// Maildir is the mailbox of an account: MAILDIR of its environment, else
// Maildir in its HOME, else in dir. The path is absolute; a relative MAILDIR
// starts from dir, the account's working directory.
func Maildir(env []string, dir string) string {
	path := Getenv(env, "MAILDIR")
	if path == "" {
		path = filepath.Join(Getenv(env, "HOME"), "Maildir")
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	return filepath.Clean(path)
}

// Getenv is the value of name in env, "" if it is not set. As in execvp, the
// first of several counts.
func Getenv(env []string, name string) string {
	for _, e := range env {
		if n, v, ok := strings.Cut(e, "="); ok && n == name {
			return v
		}
	}
	return ""
}

// with is env with these settings in place of those of the same name.
func with(env, set []string) []string {
	out := make([]string, 0, len(env)+len(set))
next:
	for _, e := range env {
		for _, s := range set {
			if n, _, _ := strings.Cut(s, "="); strings.HasPrefix(e, n+"=") {
				continue next
			}
		}
		out = append(out, e)
	}
	return append(out, set...)
}
