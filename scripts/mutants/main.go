// Mutants switches off the protections of rohrpost, one at a time, and shows
// that the test which claims to hold each of them then fails.
//
//	go run ./scripts/mutants [-only TEXT] [-j N] [-v]
//
// The list is scripts/mutants/*.mut (mutant.go has the format). The source tree
// is never touched: a mutated copy of the file is put in its place through the
// -overlay flag of the go command, which progtest's own builds inherit.
//
// A mutant is caught if its test passes without it and fails with it. It is an
// error, not a catch, if either side does not compile, or if no test runs.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

func main() {
	only := flag.String("only", "", "run only mutants whose id, name or file contains `TEXT`")
	jobs := flag.Int("j", 2, "run `N` mutants at once")
	verbose := flag.Bool("v", false, "show the output of tests that did not catch their mutant")
	dir := flag.String("dir", "scripts/mutants", "where the lists are")
	flag.Parse()
	code, err := campaign(*dir, *only, *jobs, *verbose)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		code = 2
	}
	os.Exit(code)
}

// campaign runs the mutants chosen and prints what became of each. It returns
// 1 if one of them was not caught.
func campaign(dir, only string, jobs int, verbose bool) (int, error) {
	list, err := chosen(dir, only)
	if err != nil {
		return 0, err
	}
	tmp, err := os.MkdirTemp("", "rohrpost-mutants-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(tmp)
	r := &runner{tmp: tmp, baselines: map[string]*baseline{}}
	start := time.Now()
	outcomes := runAll(r, list, jobs)
	report(list, outcomes, verbose)
	caught := 0
	for _, o := range outcomes {
		if o.verdict == caughtIt {
			caught++
		}
	}
	fmt.Printf("%d mutants, %d caught, %d not, in %.0f s\n", len(list), caught, len(list)-caught, time.Since(start).Seconds())
	if caught < len(list) {
		return 1, nil
	}
	return 0, nil
}

func chosen(dir, only string) ([]mutant, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.mut"))
	if err != nil {
		return nil, err
	}
	var list []mutant
	for _, f := range files {
		m, err := readList(f)
		if err != nil {
			return nil, err
		}
		for _, m := range m {
			if strings.Contains(m.id+" "+m.name+" "+m.file, only) {
				list = append(list, m)
			}
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no mutant in %s/*.mut matches %q", dir, only)
	}
	return list, nil
}

// runAll keeps jobs runs going; outcomes come in the order of the list.
func runAll(r *runner, list []mutant, jobs int) []outcome {
	outcomes := make([]outcome, len(list))
	slots := make(chan struct{}, max(jobs, 1))
	var wg sync.WaitGroup
	for i, m := range list {
		slots <- struct{}{}
		wg.Go(func() {
			outcomes[i] = r.run(i, m)
			fmt.Fprintf(os.Stderr, "mutants: %d/%d %s %s: %s\n", i+1, len(list), m.id, m.name, outcomes[i].verdict)
			<-slots
		})
	}
	wg.Wait()
	return outcomes
}

func report(list []mutant, outcomes []outcome, verbose bool) {
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tMUTANT\tFILE\tVERDICT\tBY")
	for i, m := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", m.id, m.name, m.file, outcomes[i].verdict, outcomes[i].by)
	}
	w.Flush()
	for i, m := range list {
		if o := outcomes[i]; o.verdict != caughtIt && (verbose || o.verdict != survived) {
			fmt.Printf("\n%s:%d: %s %s: %s\n%s\n", m.list, m.line, m.id, m.name, o.verdict, o.output)
		}
	}
}
