package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"rohrpost/cmd/internal/frame"
)

// programs are what make install puts into libexec.
var programs = []string{"checkpw", "deliver", "imapd", "listen", "login-ok", "mra", "pop3d", "relay", "sieved", "smtpd", "tls"}

// other runs a program of ours in our place.
func other(c *cobra.Command, args []string) error {
	for _, name := range programs {
		if name != args[0] {
			continue
		}
		path, err := frame.Libexec(name)
		if err != nil {
			return err
		}
		return fmt.Errorf("run %s: %w", path, unix.Exec(path, append([]string{path}, args[1:]...), os.Environ()))
	}
	return frame.Usage(fmt.Errorf("there is no command %q%s; see 'rohrpost --help'", args[0], suggestion(c, args[0])))
}

// suggestion is what somebody may have meant.
func suggestion(c *cobra.Command, word string) string {
	c.SuggestionsMinimumDistance = 2
	near := c.SuggestionsFor(word)
	for _, p := range programs {
		if strings.HasPrefix(p, word) || strings.HasPrefix(word, p) {
			near = append(near, p)
		}
	}
	if len(near) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(near, " or ") + "?"
}
