//go:build linux && amd64

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// deliverScenario delivers one message of 100 KB to an existing Maildir, or to
// one that is made on the way, or to one with a quota.
func deliverScenario(bin, kind string) scenario {
	return scenario{name: "deliver, " + kind, make: func(dir string) (*instance, error) {
		box, input := filepath.Join(dir, "home", "Maildir"), filepath.Join(dir, "message")
		text := message(1, 100_000)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(input, text, 0o600); err != nil {
			return nil, err
		}
		return &instance{
			command: command{
				argv: []string{filepath.Join(bin, "deliver"), box},
				env:  []string{"SENDER=sender@example.net", "RECIPIENT=al@crash.test", "GOMAXPROCS=1"}, stdin: input},
			reset: func() error { return resetBox(box, kind) },
			judge: func(o outcome) error { return judgeDelivery(box, text, o) },
		}, nil
	}}
}

// resetBox puts a mailbox back to what it is before the delivery.
func resetBox(box, kind string) error {
	if err := emptyDir(filepath.Dir(box)); err != nil || kind == newBox {
		return err
	}
	if err := makeMaildir(box); err != nil || kind == plainBox {
		return err
	}
	return os.WriteFile(filepath.Join(box, "maildirsize"), []byte("10000000S\n0 0\n"), 0o600)
}

const (
	plainBox = "Maildir"
	newBox   = "Maildir made on demand"
	quotaBox = "Maildir with quota"
)

func judgeDelivery(box string, text []byte, o outcome) error {
	n, err := copies(box, text)
	if err != nil {
		return err
	}
	debris, err := visible(filepath.Join(box, "tmp"))
	if err == nil && len(debris) > 1 {
		err = fmt.Errorf("%d files left in tmp", len(debris))
	}
	return errors.Join(err, within("the message", n[0], o.code == 0), oneOf(o, 0, 75, 100))
}
