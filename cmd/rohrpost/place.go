package main

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"rohrpost/cmd/internal/control"
)

// defaultHome is where up builds a mail host if nothing says otherwise.
const defaultHome = "rohrpost"

// place says which configuration a command works on.
type place struct{ home, etc string }

// flags adds the flags that say it.
func (p *place) flags(c *cobra.Command) {
	c.PersistentFlags().StringVar(&p.home, "home", "", "the mail host in `DIR`, as 'rohrpost up' made it")
	c.PersistentFlags().StringVar(&p.etc, "etc", "", "configuration directory `DIR`")
}

// dir is the configuration directory, by the order that rohrpost(1) documents.
func (p *place) dir() control.Dir {
	here := filepath.Join(defaultHome, "etc")
	switch {
	case p.etc != "":
		return control.Dir{Path: p.etc, Named: true}
	case p.home != "":
		return control.Dir{Path: filepath.Join(p.home, "etc"), Named: true}
	case os.Getenv("ROHRPOST_ETC") == "" && isDir(here):
		return control.Dir{Path: here}
	}
	return control.Open("")
}

// named is dir, which has to exist if somebody named it: with the defaults in
// its place, a slip of the pen would lead to the system's queue.
func (p *place) named() (control.Dir, error) {
	if d := p.dir(); !d.Named {
		return d, nil
	}
	return p.must()
}

// must is dir, which has to exist.
func (p *place) must() (control.Dir, error) {
	d := p.dir()
	if !isDir(d.Path) {
		return d, &control.Error{File: d.Path, What: "there is no such configuration directory",
			Remedy: "give --home or --etc, or run 'rohrpost up' first"}
	}
	return d, nil
}

func isDir(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}
