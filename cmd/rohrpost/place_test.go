package main_test

import (
	"strings"
	"testing"

	"rohrpost/cmd/internal/progtest"
)

// A mistyped directory must not lead to the system's queue and configuration.
func TestO04_DirectoryThatWasNamedMustExist(t *testing.T) {
	t.Parallel()
	home := host(t)
	for _, command := range []string{"check", "queue list", "queue hold --all", "sweep", "user list", "explain bob"} {
		for _, named := range [][2]string{{"--home", "typo"}, {"--etc", "typo/etc"}, {"", "typo/etc"}} {
			args := strings.Fields(command)
			if named[0] != "" {
				args = append(args, named[:]...)
			}
			c := progtest.Command(t, []string{programs(t)}, "rohrpost", args...)
			if c.Dir = home; named[0] == "" {
				c.Env = append(c.Env, "ROHRPOST_ETC="+named[1])
			}
			r := progtest.RunCmd(t, nil, c)
			want := "rohrpost: typo/etc: there is no such configuration directory; give --home or --etc, or run 'rohrpost up' first\n"
			if r.Code != 111 || r.Stderr != want || r.Stdout != "" {
				t.Errorf("%s %s: exit %d\n%s%s", command, named, r.Code, r.Stdout, r.Stderr)
			}
		}
	}
}
