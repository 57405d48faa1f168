package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/control"
)

func TestFullAndReadOnlyDisksHaveARemedy(t *testing.T) {
	for cause, remedy := range map[error]string{unix.ENOSPC: "make room", unix.EROFS: "mount it for writing", unix.EACCES: "as the owner"} {
		err := advise(fmt.Errorf("replace users: %w", &os.PathError{Op: "write", Path: "users", Err: cause}))
		if !strings.Contains(err.Error(), cause.Error()+"; ") || !strings.Contains(err.Error(), remedy) {
			t.Errorf("%v", err)
		}
	}
}

// A change that cannot begin names the file that was to change.
func TestReplaceThatCannotBeginNamesTheFile(t *testing.T) {
	etc := control.Dir{Path: t.TempDir() + "/gone"}
	err := etc.Replace("users", 0o600, nil)
	if err == nil || !strings.Contains(err.Error(), "replace "+etc.Path+"/users: ") {
		t.Errorf("got %v", err)
	}
}
