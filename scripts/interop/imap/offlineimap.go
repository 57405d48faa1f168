package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"rohrpost/scripts/interop/host"
)

// offlineimaprc is what OfflineIMAP has to know.
const offlineimaprc = `[general]
accounts = all
metadata = %[1]s/state
ui = quiet

[Account all]
localrepository = near
remoterepository = far

[Repository near]
type = Maildir
localfolders = %[1]s/mail

[Repository far]
type = IMAP
remotehost = 127.0.0.1
remoteport = %[2]s
remoteuser = %[3]s
remotepass = %[4]s
ssl = no
starttls = no
auth_mechanisms = PLAIN
`

// afterColon is white space that OfflineIMAP rewrites.
var afterColon = regexp.MustCompile(`(?m)^(X-[A-Z][a-z]+:)[ \t]*`)

func (v *visit) offlineimap() error {
	v.clean = func(text []byte) []byte { return afterColon.ReplaceAll(text, []byte("$1 ")) }
	rc := filepath.Join(v.dir, "rc")
	if err := os.WriteFile(rc, fmt.Appendf(nil, offlineimaprc, v.dir, v.port(), v.user, host.Password), 0o600); err != nil {
		return err
	}
	s := syncer{v, filepath.Join(v.dir, "mail"), func() error {
		_, err := v.command("offlineimap", "-c", rc)
		return err
	}}
	return s.syncs()
}
