package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// verdict is what became of a mutant.
type verdict string

const (
	caughtIt   verdict = "caught"
	survived   verdict = "SURVIVED"      // the test passes with the protection switched off
	notApplied verdict = "not applied"   // its line is not in the file, or not once
	notBuilt   verdict = "not built"     // the mutated source does not compile
	noBaseline verdict = "test is red"   // the test fails without the mutant
	noTest     verdict = "no test ran"   // -run matches nothing, or all were skipped
	noVerdict  verdict = "no clean fail" // go test failed, but no test of it did
)

type outcome struct {
	verdict verdict
	by      string // tests that failed
	output  string
}

// A runner holds what mutants share: the runs of their tests without a mutant.
type runner struct {
	tmp       string
	mu        sync.Mutex
	baselines map[string]*baseline
}

type baseline struct {
	once    sync.Once
	outcome outcome
}

// testTimeout ends a test whose mutant makes a program hang; go test then says
// which one it was.
const testTimeout = "120s"

func (r *runner) run(n int, m mutant) outcome {
	if o := r.baseline(m.test); o.verdict != survived {
		return o
	}
	dir := filepath.Join(r.tmp, fmt.Sprint(n))
	overlay, err := writeOverlay(dir, m)
	if err != nil {
		return outcome{verdict: notApplied, output: err.Error()}
	}
	env := environment(dir, "-overlay="+overlay)
	// First by itself: a program that a test builds fails inside the test.
	if out, err := command(env, "go build -o /dev/null ./"+filepath.Dir(m.file)).CombinedOutput(); err != nil {
		return outcome{verdict: notBuilt, output: string(out)}
	}
	o := goTest(env, m.test)
	endAll(dir)
	os.RemoveAll(dir)
	return o
}

// endAll ends what still runs of the programs built in dir: some mutants are of
// the very protection that would have ended them.
func endAll(dir string) {
	exes, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, exe := range exes {
		to, err := os.Readlink(exe)
		if err != nil || !strings.HasPrefix(to, dir+"/") {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(exe))); err == nil {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// baseline runs a test once without any mutant. Many mutants share a test.
func (r *runner) baseline(test string) outcome {
	r.mu.Lock()
	b := r.baselines[test]
	if b == nil {
		b = &baseline{}
		r.baselines[test] = b
	}
	n := len(r.baselines)
	r.mu.Unlock()
	b.once.Do(func() {
		dir := filepath.Join(r.tmp, fmt.Sprintf("clean%d", n))
		b.outcome = goTest(environment(dir), test)
		if b.outcome.verdict == caughtIt {
			b.outcome.verdict = noBaseline
		}
		os.RemoveAll(dir)
	})
	return b.outcome
}

// writeOverlay puts the mutated file into dir and returns the file that tells
// the go command to use it.
func writeOverlay(dir string, m mutant) (string, error) {
	real, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	source, err := os.ReadFile(real)
	if err != nil {
		return "", err
	}
	changed, err := m.apply(string(source))
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	copied := filepath.Join(dir, "mutated.go")
	if err := os.WriteFile(copied, []byte(changed), 0o600); err != nil {
		return "", err
	}
	b, err := json.Marshal(map[string]map[string]string{"Replace": {real: copied}})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, b, 0o600)
}

// environment has programs built from the mutated source in a directory of
// their own, never in the bin of the tree.
func environment(dir string, goflags ...string) []string {
	flags := append(strings.Fields(os.Getenv("GOFLAGS")), goflags...)
	return append(os.Environ(),
		"GOFLAGS="+strings.Join(flags, " "),
		"ROHRPOST_TEST_BIN="+filepath.Join(dir, "bin"))
}

func command(env []string, line string) *exec.Cmd {
	c := exec.Command("sh", "-c", line)
	c.Env = env
	return c
}

// goTest runs a test line and reads from its events whether a test failed:
// survived if all passed.
func goTest(env []string, test string) outcome {
	args := strings.TrimPrefix(test, "go test ")
	c := command(env, "go test -json -count=1 -vet=off -timeout="+testTimeout+" "+args)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var log, out bytes.Buffer
	c.Stdout, c.Stderr = &out, &log
	err := c.Run()
	if c.Process != nil {
		// A test that dies leaves the programs it started; they are in its group.
		syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
	}
	e := readEvents(out.Bytes())
	o := outcome{output: e.output + log.String(), by: strings.Join(e.failed, " ")}
	switch {
	case e.buildFailed:
		o.verdict = notBuilt
	case err == nil && e.passed == 0:
		o.verdict = noTest
	case err == nil:
		o.verdict = survived
	case len(e.failed) > 0:
		o.verdict = caughtIt
	default:
		o.verdict = noVerdict
	}
	return o
}

type events struct {
	passed      int
	failed      []string // innermost tests that failed, or never ended
	buildFailed bool
	output      string
}

// readEvents reads the output of go test -json.
func readEvents(out []byte) events {
	var e events
	var text strings.Builder
	var running []string
	for line := range bytes.Lines(out) {
		var ev struct{ Action, Test, Output, FailedBuild string }
		if json.Unmarshal(line, &ev) != nil {
			text.Write(line)
			continue
		}
		text.WriteString(ev.Output)
		switch {
		case ev.Action == "build-fail" || ev.FailedBuild != "":
			e.buildFailed = true
		case ev.Test == "":
		case ev.Action == "run":
			running = append(running, ev.Test)
		case ev.Action == "pass":
			e.passed++
			running = without(running, ev.Test)
		case ev.Action == "skip":
			running = without(running, ev.Test)
		case ev.Action == "fail":
			e.fail(ev.Test)
			running = without(running, ev.Test)
		}
	}
	// A test that panics or runs out of time has no event for its end.
	for _, test := range slices.Backward(running) {
		e.fail(test)
	}
	e.output = text.String()
	return e
}

func without(tests []string, test string) []string {
	return slices.DeleteFunc(tests, func(t string) bool { return t == test })
}

// fail notes a test, unless one of its own subtests is noted already.
func (e *events) fail(test string) {
	for _, f := range e.failed {
		if strings.HasPrefix(f, test+"/") {
			return
		}
	}
	e.failed = append(e.failed, test)
}
