package main_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rohrpost/cmd/internal/progtest"
)

// makeIn runs make in the source tree, without a way to the network.
func makeIn(t *testing.T, args ...string) {
	t.Helper()
	c := exec.Command("make", args...)
	c.Dir = progtest.Root()
	c.Env = append(os.Environ(), "GOPROXY=off")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("make %v: %v\n%s", args, err, out)
	}
}

// installed are the files below a directory with their modes.
func installed(t *testing.T, root string) map[string]fs.FileMode {
	t.Helper()
	files := map[string]fs.FileMode{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		st, err := d.Info()
		files[strings.TrimPrefix(path, root)] = st.Mode()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestInstall(t *testing.T) {
	if progtest.BinDir() != filepath.Join(progtest.Root(), "bin") {
		t.Skip("the programs under test are not where make install looks")
	}
	t.Parallel()
	mains, _ := filepath.Glob(progtest.Root() + "/cmd/*/main.go")
	want := map[string]fs.FileMode{}
	for _, m := range mains {
		name := filepath.Base(filepath.Dir(m))
		progtest.Bin(t, name)
		dir := "/opt/x/libexec/rohrpost/"
		if name == "rohrpost" || name == "sendmail" {
			dir = "/opt/x/bin/"
		}
		want[dir+name] = 0o755
	}
	pages, _ := filepath.Glob(progtest.Root() + "/man/*.[0-9]")
	for _, p := range pages {
		want["/opt/x/share/man/man"+filepath.Ext(p)[1:]+"/"+filepath.Base(p)] = 0o644
	}
	dest := t.TempDir()
	makeIn(t, "install", "DESTDIR="+dest, "PREFIX=/opt/x")
	got := installed(t, dest)
	for path, mode := range want {
		if got[path] != mode {
			t.Errorf("%s has mode %v, want %v", path, got[path], mode)
		}
	}
	for path, mode := range got {
		if mode&(fs.ModeSetuid|fs.ModeSetgid) != 0 || mode.Perm()&0o022 != 0 {
			t.Errorf("%s has mode %v", path, mode)
		}
		if text, err := os.ReadFile(dest + path); err != nil || strings.HasPrefix(path, "/opt/x/share/") && strings.Contains(string(text), "/usr/local") {
			t.Errorf("%s names another prefix, %v", path, err)
		}
		if want[path] == 0 && !strings.HasPrefix(path, "/opt/x/share/rohrpost/") {
			t.Errorf("%s was installed too", path)
		}
	}
	c := exec.Command(dest+"/opt/x/bin/rohrpost", "deliver", "--version")
	c.Env = []string{} // found beside the program that was called, not by the environment
	if out, err := c.CombinedOutput(); err != nil || !strings.HasPrefix(string(out), "deliver (rohrpost) ") {
		t.Errorf("the installed program: %v %s", err, out)
	}
	makeIn(t, "uninstall", "DESTDIR="+dest, "PREFIX=/opt/x")
	if left := installed(t, dest); len(left) != 0 {
		t.Errorf("uninstall leaves %v", left)
	}
}
