package main

import (
	"fmt"
	"slices"
	"strings"
)

// series is one figure of one contender, a value for each round.
type series []float64

func (s series) median() float64 {
	c := slices.Sorted(slices.Values(s))
	if n := len(c); n%2 == 0 {
		return (c[n/2-1] + c[n/2]) / 2
	}
	return c[len(c)/2]
}

func (s series) String() string {
	if len(s) == 0 {
		return "–"
	}
	if len(s) == 1 {
		return number(s[0])
	}
	return fmt.Sprintf("%s (%s–%s)", number(s.median()), number(slices.Min(s)), number(slices.Max(s)))
}

// number has three digits that mean something.
func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

// over is the ratio to another series, round by round: the contenders of one
// round met the same machine.
func (s series) over(t series) series {
	var r series
	for i := range min(len(s), len(t)) {
		if t[i] != 0 {
			r = append(r, s[i]/t[i])
		}
	}
	return r
}

// A goal is what the ratio of ours to a contender, or our figure itself, has
// to be.
type goal struct {
	to      string // the contender; "" means our figure itself
	atLeast float64
	atMost  float64
	minus   bool // our figure less the contender's, not divided by it
}

func (g goal) String() string {
	s := "≤ " + number(g.atMost)
	if g.atLeast > 0 {
		s = "≥ " + number(g.atLeast)
	}
	switch {
	case g.to == "":
		return s
	case g.minus:
		return s + " above " + g.to
	}
	return s + " × " + g.to
}

func (g goal) met(v float64) bool { return v >= g.atLeast && (g.atMost == 0 || v <= g.atMost) }

// ours is the contender that every table begins with.
const ours = "rohrpost"

// A table has one column for each contender.
type table struct {
	contenders []string
	lines      []string
	missed     int
}

// newTable begins a table. It and its lines are shown at once: some take minutes.
func newTable(contenders ...string) *table {
	t := &table{contenders: contenders}
	fmt.Print(t)
	return t
}

// add puts a figure into the table, with what it has to show.
func (t *table) add(what, unit string, got map[string]series, goals ...goal) {
	cells := []string{what, unit}
	for _, c := range t.contenders {
		cells = append(cells, got[c].String())
	}
	var said []string
	for _, g := range goals {
		if s, ok := t.judge(g, got); ok {
			said = append(said, s)
		}
	}
	line := "| " + strings.Join(append(cells, strings.Join(said, "; ")), " | ") + " |\n"
	fmt.Print(line)
	t.lines = append(t.lines, line)
}

func (t *table) judge(g goal, got map[string]series) (string, bool) {
	value := got[ours]
	switch {
	case g.to != "" && len(got[g.to]) == 0:
		return "", false
	case len(value) == 0:
		t.missed++
		return fmt.Sprintf("– (%s): **missed**", g), true
	case g.minus:
		value = series{value.median() - got[g.to].median()}
	case g.to != "":
		value = value.over(got[g.to])
	}
	verdict := "met"
	if !g.met(value.median()) {
		verdict = "**missed**"
		t.missed++
	}
	return fmt.Sprintf("%s (%s): %s", number(value.median()), g, verdict), true
}

func (t *table) String() string {
	head := append(append([]string{"what", "figure"}, t.contenders...), "asked")
	rule := strings.Repeat("|---", len(head)) + "|"
	return "| " + strings.Join(head, " | ") + " |\n" + rule + "\n" + strings.Join(t.lines, "")
}
