package main

import (
	"fmt"
	"os"

	"rohrpost/cmd/internal/control"
)

// access asks, if root runs check, whether the programs can read what root can:
// they run as the owner of the mail. Everybody else reads it as those do.
func (i *inspection) access() {
	o, ok := mailOwner(i.etc)
	if !ok || os.Geteuid() != 0 {
		return
	}
	if st, err := os.Stat(i.etc.Path); err == nil && !o.may(1, st) {
		i.wrong(finding(i.etc.Path, 0, "chmod 755 "+i.etc.Path, "uid %d, who owns %s, cannot get into it", o.uid, o.path))
		return
	}
	for _, name := range control.Names() {
		path := i.etc.File(name)
		if st, err := os.Stat(path); err == nil && st.Mode().IsRegular() && !o.may(4, st) {
			i.wrong(finding(path, 0, fmt.Sprintf("chgrp %d %s; chmod 640 %s", o.gid, path, path), "uid %d, who owns %s, cannot read it", o.uid, o.path))
		}
	}
}
