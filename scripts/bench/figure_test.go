package main

import (
	"strings"
	"testing"
)

func TestTableJudgesEachRowOnItsOwnLine(t *testing.T) {
	table := newTable(ours, "Dovecot", "Courier")
	table.add("faster", "ms", map[string]series{ours: {2, 4}, "Dovecot": {10, 10}}, goal{to: "Dovecot", atMost: 0.5}, goal{to: "Courier", atMost: 1})
	table.add("not there", "ms", map[string]series{"Dovecot": {10}}, goal{to: "Dovecot", atMost: 0.5})
	want := strings.Join([]string{
		"| what | figure | rohrpost | Dovecot | Courier | asked |",
		"|---|---|---|---|---|---|",
		"| faster | ms | 3.00 (2.00–4.00) | 10.0 (10.0–10.0) | – | 0.30 (≤ 0.50 × Dovecot): met |",
		"| not there | ms | – | 10.0 | – | – (≤ 0.50 × Dovecot): **missed** |",
		"",
	}, "\n")
	if got := table.String(); got != want {
		t.Errorf("table is\n%s\nwanted\n%s", got, want)
	}
}
