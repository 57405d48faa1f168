package main

import (
	_ "embed"

	"rohrpost/scripts/interop/host"
)

//go:embed imaplib.py
var imaplibPy string

// imaplib is Python's; the script is a session from login to logout.
func (v *visit) imaplib() error {
	err := v.script("python3", "-c", imaplibPy, v.port(), v.user, host.Password, v.dir)
	v.allRead("reads", host.Files(v.dir))
	v.expects["INBOX"]["plain"] = "FRS"
	v.expects.move("empty body", "INBOX", archive)
	v.expects[archive]["saved by imaplib"] = "DS"
	delete(v.expects["INBOX"], "only blank lines")
	v.expects["Neu"] = map[string]string{"dots": ""}
	v.asExpected("afterwards")
	return err
}
