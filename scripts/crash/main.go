//go:build linux && amd64

// Crash runs deliver, smtpd, relay and imapd again and again and lets a fault strike at
// every system call with which they touch the world: a kill of all processes or
// of one, an error instead of the call or in place of its result, a power cut.
// Each time a judge looks at what is left: no message that was acknowledged may
// be lost, none may be torn, none may be there more often than the durability
// contract allows.
//
//	make crash                   everything, an hour or so
//	make crash CRASH=-short      a minute's worth
//	make crash CRASH='-only relay -list'
//
// A seccomp filter makes the chosen calls stop for the tracer, all threads and
// children included, and one counter goes through all of them; so the point
// struck is the n-th call of the whole tree. Linux on amd64. Power cuts need
// root and loop devices, and are left out without.
//
// Start reading at campaign in campaign.go; tracer.go has the ptrace part.
package main

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

func main() {
	if spec, ok := os.LookupEnv(shimEnv); ok {
		shim(spec)
	}
	var o options
	flag.BoolVar(&o.short, "short", false, "a sample of the points, in about a minute")
	flag.BoolVar(&o.list, "list", false, "print the points of each scenario, and strike nowhere")
	flag.StringVar(&o.only, "only", "", "only scenarios whose name contains `TEXT`")
	flag.StringVar(&o.fault, "fault", "", "only faults whose name contains `TEXT`")
	flag.StringVar(&o.bin, "bin", "bin", "where our programs are")
	flag.IntVar(&o.workers, "j", runtime.NumCPU(), "run `N` at once")
	flag.Parse()
	bad, err := run(o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(2)
	}
	if bad > 0 {
		os.Exit(1)
	}
}

type options struct {
	short, list      bool
	only, fault, bin string
	workers          int
}

// plan is all campaigns there are.
func plan(o options, disks *[]*disk) []*campaign {
	all := []scenario{deliverScenario(o.bin, plainBox), deliverScenario(o.bin, newBox), deliverScenario(o.bin, quotaBox),
		smtpdScenario(o.bin), relayScenario(o.bin)}
	for _, task := range imapTasks {
		all = append(all, imapScenario(o.bin, task))
	}
	var list []*campaign
	add := func(s scenario, f fault) {
		for _, after := range []bool{false, true} {
			if after && f.errno == syscall.EINTR {
				continue // it means that nothing was done, on any file system
			}
			f.after = after
			list = append(list, &campaign{scenario: s, fault: f, set: counted(true), stride: 1, workers: o.workers})
		}
	}
	for _, s := range all {
		add(s, killAll)
		add(s, killOne)
	}
	for _, s := range all {
		for _, name := range slices.Sorted(maps.Keys(errnos)) {
			add(s, fault{name: name, errno: errnos[name]})
		}
	}
	for _, s := range []scenario{all[0], all[1], all[3]} {
		for m := cutAll; m <= cutNothing; m++ {
			for _, after := range []bool{false, true} {
				f := fault{name: m.String(), after: after}
				list = append(list, &campaign{scenario: withPowerCuts(s, disks), fault: f, mode: m, set: counted(false), stride: 1, workers: 1})
			}
		}
	}
	return list
}

// sample thins a plan out until it takes about a minute. Runs of relay cost ten
// times the others', and have ten times the points; imapd has six tasks.
func sample(list []*campaign) []*campaign {
	return slices.DeleteFunc(list, func(c *campaign) bool {
		relay := strings.HasPrefix(c.scenario.name, "relay")
		long := relay || strings.HasPrefix(c.scenario.name, "imapd")
		switch {
		case c.mode != noCut:
			c.stride = 3
			return c.mode != cutNothing
		case c.fault.errno != 0:
			c.stride = 5
			if long {
				c.stride = 37
			}
			return c.fault.name != "ENOSPC" && c.fault.name != "EIO"
		case c.fault.all:
			c.stride = 2
			if long {
				c.stride = 13
			}
			return false
		default:
			c.stride = 19
			return !relay
		}
	})
}

func run(o options) (bad int, err error) {
	if o.bin, err = filepath.Abs(o.bin); err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "rohrpost-crash-")
	if err != nil {
		return 0, err
	}
	var disks []*disk
	defer func() {
		for _, d := range disks {
			d.unmount()
		}
		os.RemoveAll(dir)
	}()
	list := plan(o, &disks)
	if o.short {
		list = sample(list)
	}
	list = slices.DeleteFunc(list, func(c *campaign) bool {
		return !strings.Contains(c.scenario.name, o.only) || !strings.Contains(c.fault.String(), o.fault)
	})
	if err := canCut(dir); err != nil {
		fmt.Println("power cuts are left out:", err)
		list = slices.DeleteFunc(list, func(c *campaign) bool { return c.mode != noCut })
	}
	if o.list {
		return 0, listPoints(list, dir)
	}
	return runAll(list, dir)
}

// canCut tries whether this machine lets us cut the power of a disk.
func canCut(dir string) error {
	if _, err := exec.LookPath("mkfs.ext4"); err != nil {
		return errors.New("mkfs.ext4 is missing: apt-get install e2fsprogs")
	}
	d, err := newDisk(filepath.Join(dir, "try"))
	if err != nil {
		return err
	}
	return errors.Join(cutNothing.shutdown(d.dir), d.unmount())
}

func runAll(list []*campaign, dir string) (bad int, err error) {
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "SCENARIO\tFAULT\tPOINTS\tRUNS\tSTRUCK\tVIOLATIONS\tSECONDS")
	var total count
	for i, c := range list {
		n, err := c.run(filepath.Join(dir, fmt.Sprint(i)))
		if err != nil {
			w.Flush()
			return bad, err
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%.1f\n", c.scenario.name, c.fault, n.points, n.runs, n.struck, n.bad, n.took.Seconds())
		total = count{runs: total.runs + n.runs, struck: total.struck + n.struck, bad: total.bad + n.bad, took: total.took + n.took}
	}
	w.Flush()
	fmt.Printf("%d runs, %d struck, %d violations, %.0f s, %.0f runs/s\n", total.runs, total.struck, total.bad, total.took.Seconds(),
		float64(total.runs)/max(total.took.Seconds(), float64(time.Millisecond)/float64(time.Second)))
	return total.bad, nil
}

// listPoints prints where faults can strike.
func listPoints(list []*campaign, dir string) error {
	seen := map[string]bool{}
	for i, c := range list {
		if seen[c.scenario.name] {
			continue
		}
		seen[c.scenario.name] = true
		work := filepath.Join(dir, fmt.Sprint(i))
		if err := os.MkdirAll(work, 0o700); err != nil {
			return err
		}
		in, err := c.scenario.make(filepath.Join(work, "world"))
		if err != nil {
			return err
		}
		runtime.LockOSThread()
		o, err := c.once(&tracer{set: c.set, dir: work}, in, nil, 0)
		if err != nil {
			return err
		}
		fmt.Println(c.scenario.name)
		for n, what := range o.trace {
			fmt.Printf("%5d %s\n", n+1, what)
		}
	}
	return nil
}
