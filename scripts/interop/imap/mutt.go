package main

import (
	"fmt"
	"os"
	"path/filepath"

	"rohrpost/scripts/interop/host"
)

// muttrc is what mutt and neomutt have to know; %s is how to reach the server. Each
// message that is piped goes to a file of its own.
const muttrc = `%s
set spoolfile=+INBOX record=+Sent postponed=+Drafts mbox_type=Maildir
set header_cache=cache/headers message_cachedir=cache/bodies
set imap_idle=yes mail_check=600 timeout=1 imap_check_subscribed=no
set confirmappend=no confirmcreate=no delete=yes move=no quit=yes wait_key=no beep=no
set pipe_split=yes pipe_decode=no pipe_sep="" sort=mailbox-order mark_old=no
set index_format="%%4C %%Z <%%s>"
set sendmail="true" editor="echo text >>" abort_unmodified=no use_from=no use_domain=no realname="A Reader" crypt_autosign=no
macro index <F2> "<tag-pattern>~A<enter><tag-prefix><pipe-message>cat >$(mktemp read/XXXXXXXX)<enter><untag-pattern>~A<enter>"
`

// muttPassword and muttTunnel are two ways to the same account.
func (v *visit) muttPassword() string {
	return fmt.Sprintf("set folder=imap://127.0.0.1:%s/ imap_user=%s imap_pass=%q ssl_starttls=no ssl_force_tls=no",
		v.port(), v.user, host.Password)
}

func (v *visit) muttTunnel() string {
	return fmt.Sprintf("set folder=imap://localhost/ imap_user=%s tunnel=%q ssl_starttls=no", v.user, "tee -a commands | "+v.tunnel())
}

// tunnel is the command that serves the account without a login.
func (v *visit) tunnel() string {
	return filepath.Join(v.Bin, "imapd") + " " + v.Maildir(v.user)
}

// mutt visits as program, mutt or neomutt.
func mutt(program string, way func(*visit) string) func(*visit) error {
	return func(v *visit) error {
		if err := os.WriteFile(filepath.Join(v.dir, "rc"), fmt.Appendf(nil, muttrc, way(v)), 0o600); err != nil {
			return err
		}
		for _, d := range []string{"read", "cache/headers", "cache/bodies"} {
			if err := os.MkdirAll(filepath.Join(v.dir, d), 0o700); err != nil {
				return err
			}
		}
		if err := v.muttSession(program); err != nil {
			return err
		}
		if said, err := os.ReadFile(filepath.Join(v.dir, "commands")); err == nil {
			v.check("idles", lacks(string(said), " IDLE\r\nDONE\r\n"))
		}
		v.asExpected("after sending")
		return nil
	}
}

// muttSession is one session on the screen.
func (v *visit) muttSession(program string) error {
	t, err := v.terminal("sh", "-c", "cd && exec "+program+" -n -F rc")
	if err != nil {
		return err
	}
	defer t.close()
	if err := t.waits("<plain>", "<Grüße, Привет 你好>", "<large>"); err != nil {
		return err
	}
	if err := v.muttReads(t); err != nil {
		return err
	}
	if err := v.muttChanges(t); err != nil {
		return err
	}
	if err := v.muttIdles(t); err != nil {
		return err
	}
	browse, leave := step{"c?", []string{"Archive", "Entwürfe", "INBOX"}}, "q"
	if program == "neomutt" { // its browser of IMAP folders does not open from here
		browse, leave = step{"c<C-u>=Entw<Tab>", []string{"+Entwürfe"}}, "<C-g>"
	}
	err = t.play(
		browse,
		step{leave + "c<C-u>=Archive<Enter>", []string{"Archive [Msgs:1", "<empty body>"}},
		step{"c<C-u>=Entwürfe<Enter>", []string{"Entwürfe [Msgs:0"}},
	)
	if err := v.does("browses folders", err); err != nil {
		return err
	}
	if err := v.muttSends(t, program); err != nil {
		return err
	}
	return t.ended()
}

// muttReads pipes every message to a file.
func (v *visit) muttReads(t *terminal) error {
	read := filepath.Join(v.dir, "read")
	err := t.press("<F2>")
	if err == nil {
		err = eventually("all messages are piped", func() bool { return len(host.Files(read)) == len(v.sent) })
	}
	if err == nil {
		err = t.waits("<plain>")
	}
	v.allRead("reads", host.Files(read))
	return err
}

// muttChanges lets the server search, flags a message, deletes one, and moves one to
// a folder.
func (v *visit) muttChanges(t *terminal) error {
	err := t.play(
		step{`l=b "after a blank"<Enter>`, []string{"Msgs:1/19", "<From in body>"}},
		step{"lall<Enter>", []string{"Msgs:19", "<plain>"}},
		step{"4<Enter>F", []string{"! <dots>"}},
		step{"3<Enter>d", []string{"D  <blank lines>"}},
		step{"2<Enter>s<C-u>=Archive<Enter>", []string{"D  <empty body>"}},
		step{"$", []string{"Msgs:17"}},
	)
	v.expects["INBOX"]["dots"] = "F"
	delete(v.expects["INBOX"], "only blank lines")
	v.expects.move("empty body", "INBOX", archive)
	v.asExpected("after $")
	return err
}

// muttIdles has a message come. Mutt looks each second what has come in while it
// idles, and asks for nothing.
func (v *visit) muttIdles(t *terminal) error {
	const name = "comes while idle"
	v.expects["INBOX"][name] = ""
	err := v.deliver(v.extra(name))
	if err == nil {
		err = t.waits("<" + name + ">")
	}
	return v.does("hears of a delivery", err)
}

// muttSends sends a message and keeps a copy. Mutt makes the folder it goes to;
// neomutt takes TRYCREATE for the end.
func (v *visit) muttSends(t *terminal, program string) error {
	if program == "neomutt" {
		if err := makeFolder(v.folder("Sent")); err != nil {
			return err
		}
	}
	v.expects["Sent"] = map[string]string{"saved by mutt": "S"}
	err := t.play(
		step{"m", []string{"To:"}},
		step{"friend@example.net<Enter>", []string{"Subject:"}},
		step{"saved by mutt<Enter>", []string{"y:Send"}},
		step{"y", []string{"ail sent"}}, // with a capital M in one of them
		step{"q", nil},
	)
	return v.does("sends", err)
}
