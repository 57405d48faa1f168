package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"rohrpost/scripts/interop/host"
)

// curl does one command a run, each with a login of its own.
func (v *visit) curl() error {
	for _, step := range []func() error{v.curlLists, v.curlReads, v.curlSearches, v.curlStores, v.curlAppends} {
		if err := step(); err != nil {
			return err
		}
	}
	v.expects.seen("INBOX") // curl asks for BODY[], not BODY.PEEK[]
	v.expects["INBOX"]["dots"] = "FS"
	v.expects.move("empty body", "INBOX", archive)
	v.expects[archive]["saved by curl"] = "S"
	v.asExpected("afterwards")
	return nil
}

// url runs curl on a mailbox, or on what there is for "".
func (v *visit) url(mailbox string, args ...string) (string, error) {
	return v.command("curl", append(args, "-sS", "--user", v.user+":"+host.Password, "imap://"+v.Addr["imap"]+"/"+mailbox)...)
}

func (v *visit) curlLists() error {
	out, err := v.url("")
	for _, folder := range []string{"INBOX", archive, umlaut} {
		v.check("lists "+folder, lacks(out, " "+folder+"\r\n"))
	}
	return err
}

// differs shows two texts, "" if they are the same.
func differs(got, want string) string {
	if got == want {
		return ""
	}
	return fmt.Sprintf("got %q, want %q", got, want)
}

// lacks says what a text lacks, "" if it is there.
func lacks(text, want string) string {
	if strings.Contains(text, want) {
		return ""
	}
	return fmt.Sprintf("no %q in\n%s", want, text)
}

func (v *visit) curlReads() error {
	read := filepath.Join(v.dir, "read")
	if err := os.Mkdir(read, 0o700); err != nil {
		return err
	}
	_, err := v.url(fmt.Sprintf("INBOX;UID=[1-%d]", len(v.sent)), "--sasl-ir", "-o", filepath.Join(read, "#1"))
	v.allRead("reads", host.Files(read))
	if err != nil {
		return err
	}
	out, err := v.url("INBOX;UID=1/;SECTION=TEXT")
	_, want, _ := strings.Cut(string(v.sent[0].Text), "\n\n")
	v.check("reads a section", differs(out, strings.ReplaceAll(want, "\n", "\r\n")))
	return err
}

func (v *visit) curlSearches() error {
	for query, want := range map[string]string{
		`SUBJECT%20"looks%20like%20headers"`: "* SEARCH 16\r\n",
		`BODY%20"after%20a%20blank"`:         "* SEARCH 15\r\n",
		`KEYWORD%20nothing`:                  "* SEARCH\r\n",
	} {
		out, err := v.url("INBOX?" + query)
		if err != nil {
			return err
		}
		v.check("searches "+query, differs(out, want))
	}
	return nil
}

func (v *visit) curlStores() error {
	out, err := v.url("INBOX", "-X", `UID STORE 4 +FLAGS (\Flagged)`)
	if err != nil {
		return err
	}
	v.check("hears of the flag", lacks(out, `\Flagged`))
	_, err = v.url("INBOX", "-X", "UID MOVE 2 "+archive)
	return err
}

func (v *visit) curlAppends() error {
	path := filepath.Join(v.dir, "append")
	text := bytes.ReplaceAll(v.extra("saved by curl").Text, []byte("\n"), []byte("\r\n"))
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return err
	}
	_, err := v.url(archive, "-T", path)
	return err
}
