package main

import (
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// childCommand is what up calls itself by to become one of its programs.
const childCommand = "run-as-child"

// asChild is the command that turns this process into a program that up supervises. Socket passing as
// systemd does it (sd_listen_fds(3)) wants the receiver's own pid in LISTEN_PID,
// which is known only here, after the fork.
func asChild() *cobra.Command {
	return &cobra.Command{
		Use:                childCommand + " PROGRAM [ARGUMENT...]",
		Hidden:             true,
		DisableFlagParsing: true,
		Args:               cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, argv []string) error {
			for _, name := range []string{"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"} {
				os.Unsetenv(name)
			}
			if isSocket(firstPassed) {
				os.Setenv("LISTEN_FDS", "1")
				os.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid()))
			}
			return fmt.Errorf("run %s: %w", argv[0], unix.Exec(argv[0], argv, os.Environ()))
		},
	}
}

// firstPassed is the first descriptor of sd_listen_fds(3).
const firstPassed = 3

func isSocket(fd int) bool {
	var st unix.Stat_t
	return unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFSOCK
}
