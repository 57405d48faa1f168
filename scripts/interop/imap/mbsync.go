package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"rohrpost/scripts/interop/host"
)

// mbsyncrc is what mbsync has to know: how to reach the server, and where its own
// Maildirs are.
const mbsyncrc = `IMAPStore far
%[1]s
MaildirStore near
Path %[2]s/
Inbox %[2]s/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
CopyArrivalDate yes
SyncState *
`

func mbsyncPassword(v *visit) string {
	return fmt.Sprintf("Host 127.0.0.1\nPort %s\nUser %s\nPass %q\nSSLType None\nAuthMechs *\n", v.port(), v.user, host.Password)
}

func mbsyncTunnel(v *visit) string { return fmt.Sprintf("Tunnel %q\n", v.tunnel()) }

// tuid marks what mbsync copies until it knows its UID.
var tuid = regexp.MustCompile(`(?m)^X-TUID: .*\n`)

// mbsync visits by one of two ways.
func mbsync(way func(*visit) string) func(*visit) error {
	return func(v *visit) error {
		v.clean = func(text []byte) []byte { return tuid.ReplaceAll(text, nil) }
		local, rc := filepath.Join(v.dir, "mail"), filepath.Join(v.dir, "rc")
		if err := os.Mkdir(local, 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(rc, fmt.Appendf(nil, mbsyncrc, way(v), local), 0o600); err != nil {
			return err
		}
		s := syncer{v, local, func() error {
			_, err := v.command("mbsync", "-c", rc, "all")
			return err
		}}
		return s.syncs()
	}
}
