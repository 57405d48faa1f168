package prog

import (
	"errors"
	"testing"

	"github.com/spf13/cobra"

	"rohrpost/cmd/internal/frame"
)

func TestWrongFlagIsMisuse(t *testing.T) {
	run := func(*cobra.Command, []string) error { return nil }
	p := Program{Codes: frame.Server, Command: &cobra.Command{Use: "listen", RunE: run}}
	if got := p.Run([]string{"--no-such-flag"}); got != 100 {
		t.Errorf("exit %d", got)
	}
	if got := p.Run(nil); got != 0 {
		t.Errorf("without it: exit %d", got)
	}
}

func TestWrongArgumentsAreMisuseAndNameTheHelp(t *testing.T) {
	run := func(*cobra.Command, []string) error { return nil }
	for _, c := range []struct {
		claim string
		args  []string
		want  string // "" if they are right
	}{
		{"as many as it takes", []string{"user", "add", "bob"}, ""},
		{"too few", []string{"user", "add"}, "'front user add' takes NAME, and no argument was given; see 'front user add --help'"},
		{"too many", []string{"user", "add", "bob", "carl"}, "'front user add' takes NAME, and 2 arguments were given; see 'front user add --help'"},
		{"one where none is taken", []string{"check", "x"}, `'front check' takes no arguments, and "x" was given; see 'front check --help'`},
		{"a command that there is not", []string{"user", "ad"}, "there is no command 'front user ad'; see 'front user --help'"},
		{"what the program says itself", []string{"own"}, "in my words"},
	} {
		front := &cobra.Command{Use: "front", Args: cobra.NoArgs, RunE: run}
		user := &cobra.Command{Use: "user COMMAND", Args: cobra.NoArgs, RunE: run}
		user.AddCommand(&cobra.Command{Use: "add NAME", Args: cobra.ExactArgs(1), RunE: run})
		front.AddCommand(user, &cobra.Command{Use: "check", Args: cobra.NoArgs, RunE: run},
			&cobra.Command{Use: "own", Args: func(*cobra.Command, []string) error { return frame.Usage(errors.New("in my words")) }, RunE: run})
		err := Program{Codes: frame.Server, Command: front}.execute(c.args)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.claim, err)
			}
		} else if err == nil || err.Error() != c.want || frame.Server.Of(err) != frame.Server.Usage {
			t.Errorf("%s: exit %d, %v; want %s", c.claim, frame.Server.Of(err), err, c.want)
		}
	}
}
