package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// machine says on what the figures were measured.
func machine(dir string, rounds int, courierDir string) string {
	return fmt.Sprintf("%s, %d rounds. %s; %d cores; Linux %s; %s on %s; %s.",
		time.Now().UTC().Format("2006-01-02"), rounds, cpuModel(), runtime.NumCPU(), kernel(), "file system "+fileSystem(dir), dir,
		strings.Join(versions(courierDir), ", "))
}

func cpuModel() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
			return strings.TrimSpace(v)
		}
	}
	return runtime.GOARCH
}

func kernel() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(u.Release[:])
}

// fileSystem names the kinds that one meets; /tmp is often memory, where a
// sync costs nothing and rates mean little.
func fileSystem(dir string) string {
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) != nil {
		return "unknown"
	}
	names := map[int64]string{unix.EXT4_SUPER_MAGIC: "ext4", unix.XFS_SUPER_MAGIC: "xfs", unix.BTRFS_SUPER_MAGIC: "btrfs",
		unix.TMPFS_MAGIC: "tmpfs (syncs are free here)", unix.OVERLAYFS_SUPER_MAGIC: "overlay"}
	if n, ok := names[int64(s.Type)]; ok {
		if n == "ext4" && !journaled(dir) {
			n += " without a journal"
		}
		return n
	}
	return fmt.Sprintf("%#x", s.Type)
}

// journaled reports whether an ext4 has a journal. Without one the kernel hands
// no inode out again for minutes, and looks past each that was freed: making a
// file then costs every queue more.
func journaled(dir string) bool {
	var st unix.Stat_t
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil || unix.Stat(dir, &st) != nil {
		return true
	}
	dev := fmt.Sprintf("%d:%d", unix.Major(st.Dev), unix.Minor(st.Dev))
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		_, source, ok := strings.Cut(line, " - ext4 ")
		if len(f) > 2 && f[2] == dev && ok {
			journals, _ := filepath.Glob("/proc/fs/jbd2/" + filepath.Base(strings.Fields(source)[0]) + "-*")
			return len(journals) > 0
		}
	}
	return true
}

// versions of the peers, as Debian packages name them; Courier says its own.
func versions(courierDir string) []string {
	v := []string{runtime.Version()}
	for _, p := range peers {
		pkg, _, _ := strings.Cut(p.pkg, " ")
		if out, err := exec.Command("dpkg-query", "-W", "-f", "${Version}", pkg).Output(); err == nil && len(out) > 0 {
			v = append(v, p.program+" "+string(out))
		}
	}
	if out, err := exec.Command(courierProgram(courierDir), "--version").Output(); err == nil {
		_, after, _ := strings.Cut(string(out), "(Courier-IMAP ")
		number, _, _ := strings.Cut(after, ")")
		v = append(v, "courier-imap "+number)
	}
	return v
}
