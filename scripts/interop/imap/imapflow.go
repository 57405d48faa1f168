package main

import (
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"rohrpost/scripts/interop/host"
)

//go:embed imapflow
var imapflowFiles embed.FS

// imapflow is a client for Node, with CONDSTORE and QRESYNC; npm fetches what the lock
// file names.
func (v *visit) imapflow() error {
	if err := os.CopyFS(v.dir, imapflowFiles); err != nil {
		return err
	}
	dir := filepath.Join(v.dir, "imapflow")
	// In the environment of whoever runs us, which may name a registry or a cache.
	npm := exec.Command("timeout", "120", "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", dir)
	if out, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	read := filepath.Join(v.dir, "read")
	if err := os.Mkdir(read, 0o700); err != nil {
		return err
	}
	err := v.script("node", filepath.Join(dir, "session.mjs"), v.port(), v.user, host.Password, read)
	v.allRead("reads", host.Files(read))
	v.expects["INBOX"]["dots"] = "Fa"
	v.expects["INBOX"]["plain"] = "R"
	v.expects.move("empty body", "INBOX", archive)
	delete(v.expects["INBOX"], "only blank lines")
	v.expects[umlaut]["saved by imapflow"] = "DS"
	v.asExpected("afterwards")
	return err
}
