// Package progtest builds our programs and runs them as programs: argv,
// environment, stdin, stdout, stderr, exit code. Only tests import it.
package progtest

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// runTimeout ends a program that a test waits for. It is no measurement: a
// program that hangs should fail its own test, not the whole run.
const runTimeout = 60 * time.Second

var (
	mu    sync.Mutex
	built = map[string]bool{}
)

// Root is the top of the source tree.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(filepath.Dir(filepath.Dir(file))))
}

// BinDir is where the programs are built: bin/ in the tree, or
// ROHRPOST_TEST_BIN.
func BinDir() string {
	if d := os.Getenv("ROHRPOST_TEST_BIN"); d != "" {
		return d
	}
	return filepath.Join(Root(), "bin")
}

// Bin builds a program from the source as it is and returns its path.
func Bin(t testing.TB, name string) string {
	t.Helper()
	mu.Lock()
	defer mu.Unlock()
	path := filepath.Join(BinDir(), name)
	if !built[name] {
		c := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "./cmd/"+name)
		c.Dir = Root()
		c.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", name, err, out)
		}
		built[name] = true
	}
	return path
}

// Result is how a program ended.
type Result struct {
	Stdout, Stderr string
	Code           int // exit code, or -1 for a signal
}

// Run runs a program of ours to its end. env is added to a bare environment
// (PATH, and ROHRPOST_LIBEXEC pointing at the programs just built).
func Run(t testing.TB, stdin io.Reader, env []string, name string, args ...string) Result {
	t.Helper()
	return RunCmd(t, stdin, Command(t, env, name, args...))
}

// Command is a program of ours ready to start, in the environment of Run.
func Command(t testing.TB, env []string, name string, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.Command(Bin(t, name), args...)
	c.Env = append([]string{"PATH=" + os.Getenv("PATH"), "ROHRPOST_LIBEXEC=" + BinDir(), "GOMAXPROCS=1"}, env...)
	return c
}

// RunCmd runs a command to its end.
func RunCmd(t testing.TB, stdin io.Reader, c *exec.Cmd) Result {
	t.Helper()
	var out, log bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = stdin, &out, &log
	c.WaitDelay = time.Second
	if err := c.Start(); err != nil {
		t.Fatalf("start %s: %v", strings.Join(c.Args, " "), err)
	}
	stop := time.AfterFunc(runTimeout, func() { c.Process.Kill() })
	err := c.Wait()
	stop.Stop()
	var ee *exec.ExitError
	if err != nil && !errors.As(err, &ee) && !errors.Is(err, exec.ErrWaitDelay) {
		t.Fatalf("run %s: %v", strings.Join(c.Args, " "), err)
	}
	return Result{Stdout: out.String(), Stderr: log.String(), Code: c.ProcessState.ExitCode()}
}
