//go:build linux && amd64

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// cutMode is what a power cut leaves on the disk. ext4 can be told to shut down
// in three ways; none of them lets a later write or sync through.
type cutMode int

const (
	noCut      cutMode = iota
	cutAll             // everything up to now is written first
	cutJournal         // the journal is written, data that nobody synced is not
	cutNothing         // what is not on the disk yet is lost
)

// shutdownRequest is EXT4_IOC_SHUTDOWN, _IOR('X', 125, __u32) of linux/ext4.h.
const shutdownRequest = 0x8004587D

func (m cutMode) String() string {
	return [...]string{"", "power cut, all written", "power cut, journal written", "power cut, nothing written"}[m]
}

// shutdown takes the file system that holds dir down.
func (m cutMode) shutdown(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.IoctlSetPointerInt(int(f.Fd()), shutdownRequest, int(m-cutAll)); err != nil {
		return fmt.Errorf("shut down %s: %w", dir, err)
	}
	return nil
}

// disk is an ext4 file system of its own, in a file.
type disk struct{ image, dir string }

func newDisk(dir string) (*disk, error) {
	d := &disk{image: dir + ".ext4", dir: dir}
	f, err := os.Create(d.image)
	if err != nil {
		return nil, err
	}
	err = errors.Join(f.Truncate(64<<20), f.Close(), os.MkdirAll(dir, 0o700))
	if err != nil {
		return nil, err
	}
	if err := tool("mkfs.ext4", "-q", "-F", d.image); err != nil {
		return nil, err
	}
	return d, d.mount()
}

func (d *disk) mount() error { return tool("mount", "-o", "loop", d.image, d.dir) }

func (d *disk) unmount() error { return unix.Unmount(d.dir, 0) }

func (d *disk) sync() error {
	f, err := os.Open(d.dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Syncfs(int(f.Fd()))
}

// again is the power coming back: the journal is replayed.
func (d *disk) again() error { return errors.Join(d.unmount(), d.mount()) }

func tool(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}

// withPowerCuts is the scenario on a disk of its own. A run that no fault
// strikes ends in a power cut too, right after the program's last breath: what
// it promised has to be there all the same.
func withPowerCuts(s scenario, disks *[]*disk) scenario {
	return scenario{name: s.name, make: func(dir string) (*instance, error) {
		d, err := newDisk(dir)
		if err != nil {
			return nil, err
		}
		*disks = append(*disks, d)
		in, err := s.make(filepath.Join(dir, "world"))
		if err != nil {
			return nil, err
		}
		mode := noCut
		return &instance{
			command: in.command,
			reset:   func() error { return errors.Join(in.reset(), d.sync()) },
			judge: func(o outcome) error {
				if !o.struck && mode != noCut {
					if err := mode.shutdown(d.dir); err != nil {
						return err
					}
				}
				return errors.Join(d.again(), in.judge(o))
			},
			cut: func(m cutMode) *fault {
				mode = m
				return &fault{name: m.String(), all: true, cut: func() error { return m.shutdown(d.dir) }}
			},
		}, nil
	}}
}
