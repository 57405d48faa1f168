package cmdline

import (
	"testing"

	"github.com/spf13/pflag"

	"rohrpost/cmd/internal/frame"
)

func TestFlagsReachTheProgram(t *testing.T) {
	var etc string
	var args []string
	c := Command{
		Name:  "pop3d",
		Flags: func(f *pflag.FlagSet) { f.StringVar(&etc, "etc", "", "configuration directory") },
		Run:   func(f *pflag.FlagSet) error { args = f.Args(); return nil },
	}
	if err := c.Do([]string{"--etc", "x", "--", "checkpw", "--system"}); err != nil {
		t.Fatal(err)
	}
	if etc != "x" || len(args) != 2 || args[1] != "--system" {
		t.Errorf("etc %q, arguments %q", etc, args)
	}
}

func TestWrongFlagIsMisuseAndNamesTheHelp(t *testing.T) {
	c := Command{Name: "pop3d", Flags: func(*pflag.FlagSet) {}, Run: func(*pflag.FlagSet) error {
		t.Error("ran")
		return nil
	}}
	err := c.Do([]string{"--ect"})
	if frame.Server.Of(err) != frame.Server.Usage || err.Error() != "unknown flag: --ect; see 'pop3d --help'" {
		t.Errorf("got %v", err)
	}
}
