package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"rohrpost/scripts/interop/host"
)

//go:embed thunderbird/steps.js
var thunderbirdSteps string

// thunderbirdPrefs is a profile with one account: %[1]s is the port of imapd, %[2]s the
// user, %[3]s the port for the strings. What Thunderbird asks on a first day is
// answered.
const thunderbirdPrefs = `user_pref("mail.accountmanager.accounts", "account1");
user_pref("mail.accountmanager.defaultaccount", "account1");
user_pref("mail.account.account1.server", "server1");
user_pref("mail.account.account1.identities", "id1");
user_pref("mail.identity.id1.fullName", "A Reader");
user_pref("mail.identity.id1.useremail", "%[2]s@mail.example.org");
user_pref("mail.identity.id1.valid", true);
user_pref("mail.server.server1.type", "imap");
user_pref("mail.server.server1.hostname", "127.0.0.1");
user_pref("mail.server.server1.port", %[1]s);
user_pref("mail.server.server1.userName", "%[2]s");
user_pref("mail.server.server1.name", "rohrpost");
user_pref("mail.server.server1.socketType", 0);
user_pref("mail.server.server1.authMethod", 3);
user_pref("mail.server.server1.login_at_startup", false);
user_pref("mail.server.server1.check_new_mail", false);
user_pref("mail.server.server1.using_subscription", false);
user_pref("mail.server.server1.spamLevel", 0);
user_pref("mail.server.server1.autosync_offline_stores", false);
user_pref("mail.server.server1.offline_download", false);
user_pref("mail.server.server1.cleanup_inbox_on_exit", false);
user_pref("mail.provider.suppress_dialog_on_startup", true);
user_pref("mailnews.mark_message_read.auto", false);
user_pref("mailnews.start_page.enabled", false);
user_pref("mail.shell.checkDefaultClient", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("app.update.enabled", false);
user_pref("marionette.port", %[3]s);
`

// thunderbird visits on a display of its own, and leaves a picture of it.
func (v *visit) thunderbird() error {
	display, closeDisplay, err := v.display()
	if err != nil {
		return err
	}
	defer closeDisplay()
	strung, err := freePort()
	if err != nil {
		return err
	}
	profile := filepath.Join(v.dir, "profile")
	if err := os.Mkdir(profile, 0o700); err != nil {
		return err
	}
	prefs := fmt.Appendf(nil, thunderbirdPrefs, v.port(), v.user, strung)
	if err := os.WriteFile(filepath.Join(profile, "user.js"), prefs, 0o600); err != nil {
		return err
	}
	c := exec.Command("thunderbird", "--profile", profile, "--no-remote", "--marionette", "--remote-allow-system-access")
	c.Dir, c.Env = v.dir, append(v.environ(), "DISPLAY="+display)
	if err := c.Start(); err != nil {
		return err
	}
	defer c.Wait()
	defer c.Process.Kill() // nothing if it has ended
	m, err := pullStrings(strung)
	if err != nil {
		return err
	}
	defer m.conn.Close()
	return v.thunderbirdSession(m, display)
}

// thunderbirdSession goes through the steps of steps.js.
func (v *visit) thunderbirdSession(m *marionette, display string) error {
	do := func(step string, into any, args ...any) error {
		err := m.script(thunderbirdSteps+"return await steps."+step+"(...args);", into, args...)
		if err != nil {
			return fmt.Errorf("%s: %w", step, err)
		}
		return nil
	}
	var listed struct{ Folders, Subjects []string }
	if err := do("open", &listed, v.user, host.Password, len(v.sent)); err != nil {
		return err
	}
	v.check("lists folders", lacks(strings.Join(listed.Folders, " "), "Archive Entwürfe INBOX"))
	v.check("lists subjects", lacks(strings.Join(listed.Subjects, "|"), "Grüße, Привет 你好|Grüße🚀"))
	read := filepath.Join(v.dir, "read")
	if err := os.Mkdir(read, 0o700); err != nil {
		return err
	}
	if err := do("read", nil, read); err != nil {
		return err
	}
	// It reads by lines, and ends the last one.
	v.clean = func(text []byte) []byte { return bytes.TrimSuffix(text, []byte("\n")) }
	v.allRead("reads", host.Files(read))
	var found []string
	if err := do("search", &found, "after a blank"); err != nil {
		return err
	}
	v.check("searches", differs(strings.Join(found, "|"), "From in body"))
	if err := v.thunderbirdChanges(do); err != nil {
		return err
	}
	if err := v.does("shows a message", do("show", nil, "8 bit", "Grüße aus Köln")); err != nil {
		return err
	}
	v.check("is on the screen", errText(v.picture(display)))
	return do("quit", nil)
}

// thunderbirdChanges changes things, and has a message come while Thunderbird idles.
func (v *visit) thunderbirdChanges(do func(step string, into any, args ...any) error) error {
	if err := do("change", nil); err != nil {
		return err
	}
	saved := filepath.Join(v.dir, "saved")
	text := strings.ReplaceAll(string(v.extra("saved by Thunderbird").Text), "\n", "\r\n")
	if err := os.WriteFile(saved, []byte(text), 0o600); err != nil {
		return err
	}
	if err := do("append", nil, saved); err != nil {
		return err
	}
	const name = "comes while idle"
	if err := v.deliver(v.extra(name)); err != nil {
		return err
	}
	if err := v.does("hears of a delivery", do("idle", nil, name)); err != nil {
		return err
	}
	v.clean = nil
	v.expects["INBOX"]["dots"] = "Fa"
	v.expects.move("empty body", "INBOX", archive)
	delete(v.expects["INBOX"], "only blank lines")
	v.expects["INBOX"][name] = ""
	v.expects[umlaut]["saved by Thunderbird"] = "S"
	v.expects["Trash"] = map[string]string{}
	v.asExpected("afterwards")
	return nil
}

// display starts an X server, and says how to reach it.
func (v *visit) display() (name string, closes func(), err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return "", nil, err
	}
	defer r.Close()
	c := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1280x900x24", "-nolisten", "tcp")
	c.ExtraFiles = []*os.File{w}
	err = c.Start()
	w.Close()
	if err != nil {
		return "", nil, err
	}
	closes = func() {
		c.Process.Kill()
		c.Wait()
	}
	var n int
	if _, err := fmt.Fscan(r, &n); err != nil {
		closes()
		return "", nil, fmt.Errorf("number of the display: %w", err)
	}
	return fmt.Sprintf(":%d", n), closes, nil
}

// picture keeps what is on a display, as a file beside our programs.
func (v *visit) picture(display string) error {
	path := filepath.Join(v.Bin, "interop-"+v.user+".png")
	if out, err := exec.Command("import", "-display", display, "-window", "root", path).CombinedOutput(); err != nil {
		return fmt.Errorf("import: %w\n%s", err, out)
	}
	fmt.Println("see", path)
	return nil
}

// freePort is a port that nobody listens on now.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}
