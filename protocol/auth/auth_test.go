package auth

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// asLoginOK makes this test binary play login-ok.
const asLoginOK = "AUTH_TEST_LOGIN_OK=1"

func TestMain(m *testing.M) {
	if os.Getenv("AUTH_TEST_LOGIN_OK") == "" {
		os.Exit(m.Run())
	}
	dir, _ := unix.Getwd()
	b, err := AppendReport(nil, Identity{UID: os.Geteuid(), GIDs: []int{os.Getegid()}, Dir: dir, Env: os.Environ()})
	if err != nil {
		os.Exit(111)
	}
	os.Stdout.Write(b)
	os.Exit(0)
}

// ask runs a shell script as the checkpassword program; "$@" is login-ok.
func ask(t *testing.T, limit time.Duration, script string, env ...string) (Identity, error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	record, err := appendRecord(nil, "bob", "secret", "<stamp>")
	if err != nil {
		t.Fatal(err)
	}
	c := child{
		argv:    []string{"/bin/sh", "-c", script, "auth", self},
		env:     append(env, asLoginOK, "PATH="+os.Getenv("PATH")),
		timeout: limit,
	}
	return c.ask(record)
}

func TestCheckTakesTheIdentityOfTheProgram(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	id, err := ask(t, timeout, `cd "$HOUSE" && HOME=$HOUSE USER=bob exec "$@"`, "HOUSE="+home)
	if err != nil {
		t.Fatal(err)
	}
	if id.UID != os.Geteuid() || len(id.GIDs) == 0 || id.GIDs[0] != os.Getegid() || id.Dir != home {
		t.Errorf("identity %+v, want uid %d, gid %d, directory %s", id, os.Geteuid(), os.Getegid(), home)
	}
	for _, want := range []string{"HOME=" + home, "HOUSE=" + home} {
		if !slices.Contains(id.Env, want) {
			t.Errorf("environment lacks %s", want)
		}
	}
}

// The record is exactly what the interface says, and a program that reads it in
// single bytes sees its end.
func TestA07_RecordIsExact(t *testing.T) {
	t.Parallel()
	seen := filepath.Join(t.TempDir(), "record")
	if _, err := ask(t, timeout, `dd bs=1 of="$SEEN" <&3 2>/dev/null && exec "$@"`, "SEEN="+seen); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(seen)
	if err != nil || string(b) != "bob\x00secret\x00<stamp>\x00" {
		t.Errorf("descriptor 3 held %q, %v", b, err)
	}
}

func TestA07_RecordIsBounded(t *testing.T) {
	t.Parallel()
	fits := maxRecord - len("bob\x00\x00\x00")
	if b, err := appendRecord(nil, "bob", strings.Repeat("p", fits), ""); err != nil || len(b) != maxRecord {
		t.Errorf("a record of 512 bytes: %d bytes, %v", len(b), err)
	}
	if _, err := appendRecord(nil, "bob", strings.Repeat("p", fits+1), ""); err != ErrRefused {
		t.Errorf("a record of 513 bytes: %v, want a refusal", err)
	}
}

func TestA02_StrangeLoginsReachNoProgram(t *testing.T) {
	t.Parallel()
	trace := filepath.Join(t.TempDir(), "ran")
	for _, login := range []string{
		"", "bob\x00root", "bob\n", "a/b", "..", "a@..", "%u", "o'brien", "*)(uid=*", `a"b`, `a\b`, "a:b", ".hidden", "-rf",
		strings.Repeat("b", 10<<10), "b\xffb", "b\u202eb", "b\u0085b", "b\x7fb", "b\x1bb",
	} {
		_, err := Check([]string{"/bin/sh", "-c", `touch "$0"; exec "$@"`, trace}, "/bin/true", login, "secret", "", os.Environ())
		if err != ErrRefused {
			t.Errorf("login %q: %v, want a refusal", login, err)
		}
	}
	if _, err := os.Stat(trace); err == nil {
		t.Error("a program was run")
	}
	for _, login := range []string{"bob", "bob@example.org", "bob+box", "büro", "a.b-c_d", "a b"} {
		if !goodLogin(login) {
			t.Errorf("login %q is refused", login)
		}
	}
}

func TestA03_PasswordsThatCannotBeRight(t *testing.T) {
	t.Parallel()
	for name, password := range map[string]string{
		"empty": "", "with NUL": "se\x00cret", "1 MB": strings.Repeat("s", 1<<20),
	} {
		if _, err := appendRecord(nil, "bob", password, ""); err != ErrRefused {
			t.Errorf("password %s: %v, want a refusal", name, err)
		}
	}
}

// Nothing but the report of login-ok is a yes, and nothing but exit code 1 is a no.
func TestA06_WhatIsNoAnswer(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"exits 0 without login-ok":     `exit 0`,
		"exits 0 after printing":       `echo yes; exit 0`,
		"is killed":                    `kill -9 $$`,
		"is terminated":                `kill $$`,
		"exits 2":                      `exit 2`,
		"exits 111":                    `exit 111`,
		"reports, then fails":          `"$@"; exit 111`,
		"prints, then reports":         `echo hello; exec "$@"`,
		"reports, then prints":         `"$@"; echo hello`,
		"reports twice":                `"$@"; "$@"`,
		"cannot find login-ok":         `exec /nonexistent/login-ok`,
		"prints without end":           `while :; do echo 0123456789012345678901234567890123456789; done`,
		"cuts the report":              `"$@" | head -c 40`,
		"closes its output, then dies": `exec 1>&-; kill -9 $$`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := ask(t, timeout, script); err == nil || errors.Is(err, ErrRefused) {
				t.Errorf("got %v, want a temporary error", err)
			}
		})
	}
	t.Run("exits 1", func(t *testing.T) {
		t.Parallel()
		if _, err := ask(t, timeout, `exit 1`); err != ErrRefused {
			t.Errorf("got %v, want ErrRefused", err)
		}
	})
	t.Run("reports, then exits 1", func(t *testing.T) {
		t.Parallel()
		if _, err := ask(t, timeout, `"$@"; exit 1`); err != ErrRefused {
			t.Errorf("got %v, want ErrRefused", err)
		}
	})
}

// A program that hangs is killed, and so is what it started.
func TestA06_HangIsKilled(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"hangs":                        `echo $$ >"$PIDS"; exec sleep 600`,
		"hangs after its report":       `echo $$ >"$PIDS"; "$@"; exec 1>&-; exec sleep 600`,
		"leaves a child on the pipe":   `sleep 600 & echo $! >"$PIDS"; exit 0`,
		"hangs with its output closed": `echo $$ >"$PIDS"; exec 1>&-; exec sleep 600`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pids := filepath.Join(t.TempDir(), "pids")
			if _, err := ask(t, 2*time.Second, script, "PIDS="+pids); !errors.Is(err, errDeadline) {
				t.Fatalf("got %v, want %v", err, errDeadline)
			}
			b, err := os.ReadFile(pids)
			if err != nil {
				t.Fatal(err)
			}
			var pid int
			if _, err := fmt.Sscan(string(b), &pid); err != nil {
				t.Fatal(err)
			}
			waitGone(t, pid)
		})
	}
}

// waitGone waits until a process, which may be another's child by now, has ended.
func waitGone(t *testing.T, pid int) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if n, _ := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 30_000); n == 0 {
		t.Errorf("process %d is still running", pid)
	}
}

func TestChildInheritsFourDescriptorsAndNoWordOfOthers(t *testing.T) {
	t.Parallel()
	// A descriptor without close-on-exec, as a TLS wrapper leaves it to us.
	var p [2]int
	if err := unix.Pipe2(p[:], 0); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(p[0])
	defer unix.Close(p[1])
	seen := filepath.Join(t.TempDir(), "seen")
	// The shell's listing has the descriptor of the listing itself, no other.
	id, err := ask(t, timeout, `for f in /proc/self/fd/*; do n=${f##*/}; test -e /proc/$$/fd/$n && echo $n; done >"$SEEN"; readlink /proc/$$/fd/0 >>"$SEEN"; exec "$@"`,
		"SEEN="+seen, "SSLCTLFD=5", "SSLREADFD=6", "SSLWRITEFD=6", "LISTEN_FDS=1", "LISTEN_PID=9", "LISTEN_FDNAMES=x", "TCPREMOTEIP=192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	b, _ := os.ReadFile(seen)
	lines := strings.Fields(string(b))
	for _, l := range lines[:len(lines)-1] {
		// dash keeps copies of redirected descriptors from 10 up.
		if l != "0" && l != "1" && l != "2" && l != "3" && l != "10" {
			t.Errorf("descriptor %s was inherited", l)
		}
	}
	if got := lines[len(lines)-1]; got != "/dev/null" {
		t.Errorf("descriptor 0 is %s", got)
	}
	if !slices.Contains(id.Env, "TCPREMOTEIP=192.0.2.1") {
		t.Error("the peer's address got lost")
	}
	for _, e := range id.Env {
		for _, name := range handOver {
			if strings.HasPrefix(e, name) {
				t.Errorf("%s was passed on", e)
			}
		}
	}
}

func TestCheckNamesAProgramThatIsMissing(t *testing.T) {
	t.Parallel()
	for _, argv := range [][]string{{"/nonexistent/checkpw"}, {"no-such-checkpw"}, {}, {""}} {
		_, err := Check(argv, "/bin/true", "bob", "secret", "", nil)
		if err == nil || errors.Is(err, ErrRefused) {
			t.Errorf("%q: %v, want a temporary error", argv, err)
		}
		if len(argv) > 0 && argv[0] != "" && !strings.Contains(err.Error(), argv[0]) {
			t.Errorf("%q: error %q does not name it", argv, err)
		}
	}
}
