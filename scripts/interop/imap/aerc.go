package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"rohrpost/scripts/interop/host"
)

// aercAccount is what aerc has to know of the account, aercSettings its editor.
const (
	aercAccount = `[All]
source = imap+insecure://%s:%s@%s
default = INBOX
from = A Reader <reader@example.org>
outgoing = %s
copy-to = Archive
`
	aercSettings = `[compose]
editor = sed -i "$a text"
`
)

// aerc is a session on the screen.
func (v *visit) aerc() error {
	etc := filepath.Join(v.dir, ".config", "aerc")
	if err := os.MkdirAll(etc, 0o700); err != nil {
		return err
	}
	sendmail := filepath.Join(v.dir, "sendmail")
	if err := os.WriteFile(sendmail, []byte("#!/bin/sh\ncat >/dev/null\n"), 0o700); err != nil {
		return err
	}
	account := fmt.Appendf(nil, aercAccount, v.user, url.PathEscape(host.Password), v.Addr["imap"], sendmail)
	if err := os.WriteFile(filepath.Join(etc, "accounts.conf"), account, 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(etc, "aerc.conf"), []byte(aercSettings), 0o600); err != nil {
		return err
	}
	t, err := v.terminal("aerc")
	if err != nil {
		return err
	}
	defer t.close()
	err = t.waits("Archive", "Entwürfe", "Grüße, Привет 你好")
	if err := v.does("lists", err); err != nil {
		return err
	}
	for _, do := range []func(*terminal) error{v.aercReads, v.aercChanges, v.aercIdles, v.aercSends} {
		if err := do(t); err != nil {
			return err
		}
	}
	if err := t.press(":quit<Enter>"); err != nil {
		return err
	}
	v.asExpected("afterwards")
	return t.ended()
}

// aercReads pipes one message after the other to a file.
func (v *visit) aercReads(t *terminal) error {
	read := filepath.Join(v.dir, "read")
	if err := os.Mkdir(read, 0o700); err != nil {
		return err
	}
	for n := range v.sent {
		name := filepath.Join(read, fmt.Sprint(n))
		err := t.press(fmt.Sprintf(":pipe -bm sh -c 'cat >%s.part && mv %[1]s.part %[1]s'<Enter>", name))
		if err == nil {
			err = eventually(name, func() bool { _, err := os.Stat(name); return err == nil })
		}
		if err == nil {
			err = t.press(":next<Enter>")
		}
		if err != nil {
			return fmt.Errorf("%w; the screen is\n%s", err, t.screen())
		}
	}
	v.allRead("reads", host.Files(read))
	return nil
}

// aercChanges lets the server search, and then flags, moves and deletes what was found.
func (v *visit) aercChanges(t *terminal) error {
	v.expects["INBOX"]["dots"] = "F"
	v.expects.move("empty body", "INBOX", archive)
	delete(v.expects["INBOX"], "only blank lines")
	return v.does("searches, flags, moves and deletes", t.play(
		step{":filter -b after a blank<Enter>", []string{"O From in body", "not:O plain"}},
		step{":clear<Enter>", []string{"O plain"}},
		step{":filter dots<Enter>", []string{"O dots", "not:O plain"}},
		step{":select 0<Enter>:flag -x Flagged<Enter>", []string{"successful"}},
		step{":clear<Enter>", []string{"O plain"}},
		step{":filter empty body<Enter>", []string{"O empty body", "not:O plain"}},
		step{":select 0<Enter>:mv Archive<Enter>", []string{"moved to Archive"}},
		step{":clear<Enter>", []string{"O plain"}},
		step{":filter blank lines<Enter>", []string{"O blank lines", "not:O plain"}},
		step{":select 0<Enter>:delete<Enter>", []string{"deleted"}},
		step{":clear<Enter>", []string{"O plain", "O! dots", "not:O blank lines", "not:O empty body"}},
	))
}

func (v *visit) aercIdles(t *terminal) error {
	const name = "comes while idle"
	v.expects["INBOX"][name] = ""
	err := v.deliver(v.extra(name))
	if err == nil {
		err = t.waits(name)
	}
	return v.does("hears of a delivery", err)
}

// aercSends sends a message, and keeps a copy.
func (v *visit) aercSends(t *terminal) error {
	v.expects[archive]["saved by aerc"] = "S"
	return v.does("sends", t.play(
		step{`:compose -H "To: friend@example.net" -H "Subject: saved by aerc"<Enter>`, []string{"Send this email?"}},
		step{":send<Enter>", []string{"Message sent"}},
		step{":cf Archive<Enter>", []string{"saved by aerc", "empty body"}},
	))
}
