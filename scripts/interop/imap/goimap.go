package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"rohrpost/scripts/interop/host"
)

// goimap is the client of go-imap. It is built where its source is, below the
// directory that make interop runs in.
func (v *visit) goimap() error {
	program := filepath.Join(v.dir, "goimap")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir = "scripts/interop/imap/goimap"
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", build.Args, err, out)
	}
	read := filepath.Join(v.dir, "read")
	if err := os.Mkdir(read, 0o700); err != nil {
		return err
	}
	err := v.script(program, v.Addr["imap"], v.user, host.Password, read)
	v.allRead("reads", host.Files(read))
	v.expects["INBOX"]["dots"] = "FP" // P for passed: $Forwarded
	v.expects["INBOX"]["ends with dot"] = "T"
	v.expects.move("empty body", "INBOX", archive)
	delete(v.expects["INBOX"], "only blank lines")
	v.expects[umlaut]["saved by goimap"] = "D"
	v.asExpected("afterwards")
	return err
}
