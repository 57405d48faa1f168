package frame

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Libexec is the path of another program of ours: in ROHRPOST_LIBEXEC, else
// beside our own file, else where make install puts it. The error names all the
// places.
func Libexec(name string) (string, error) {
	var tried []string
	for _, dir := range libexecDirs() {
		path := filepath.Join(dir, name)
		if st, err := os.Stat(path); err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 {
			return path, nil
		}
		tried = append(tried, dir)
	}
	return "", fmt.Errorf("program %s not found in %s; set ROHRPOST_LIBEXEC or run make install",
		name, strings.Join(tried, ", "))
}

func libexecDirs() []string {
	if d := os.Getenv("ROHRPOST_LIBEXEC"); d != "" {
		return []string{d}
	}
	var dirs []string
	if self, err := os.Executable(); err == nil {
		dir := filepath.Dir(self)
		dirs = append(dirs, dir, filepath.Join(filepath.Dir(dir), "libexec", "rohrpost"))
	}
	return append(dirs, "/usr/local/libexec/rohrpost")
}
