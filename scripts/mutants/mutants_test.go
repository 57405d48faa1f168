package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestApply(t *testing.T) {
	const source = "a {\n\tif safe {\n\t\treturn\n\t}\n}\n}\n"
	for _, c := range []struct {
		name, from, to string
		want, err      string
	}{
		{"a line is found without its white space", "if safe {", "if true {", "a {\nif true {\n\t\treturn\n\t}\n}\n}\n", ""},
		{"an empty replacement takes the line out", "return", "", "a {\n\tif safe {\n\n\t}\n}\n}\n", ""},
		{"part of a line is not the line", "if safe", "", "", "no line"},
		{"a line that stands twice is ambiguous", "}", "", "", "are both"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := mutant{file: "f.go", edits: []edit{{c.from, c.to}}}
			got, err := m.apply(source)
			if c.err == "" && (err != nil || got != c.want) {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
			if c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("error %v does not say %q", err, c.err)
			}
		})
	}
}

func TestReadListRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"an unknown line":         "mutant A b\nfiel x.go\n",
		"a block without a test":  "mutant A b\nfile x.go\n- a\n+ b\n",
		"a - line without +":      "mutant A b\nfile x.go\n- a\ntest go test ./x\n",
		"a + line without -":      "mutant A b\nfile x.go\n+ a\ntest go test ./x\n",
		"a test that is no test":  "mutant A b\nfile x.go\n- a\n+ b\ntest true\n",
		"a block without its end": "mutant A b\nfile x.go\n- a\n+ b",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.mut")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if list, err := readList(path); err == nil {
				t.Errorf("accepted: %+v", list)
			}
		})
	}
}

// TestVerdicts runs the runner on a small module whose tests hold one of its
// protections and miss the other.
func TestVerdicts(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module small\n\ngo 1.26\n",
		"small.go": "package small\n\nfunc Held(n int) bool {\n\treturn n < 10\n}\n\n" +
			"func Loose(n int) bool {\n\treturn n > 10\n}\n",
		"small_test.go": "package small\n\nimport \"testing\"\n\nfunc TestHeld(t *testing.T) {\n" +
			"\tif Held(11) {\n\t\tt.Error(\"11\")\n\t}\n}\n\n" +
			"func TestLoose(t *testing.T) {\n\tLoose(9)\n}\n\nfunc TestRed(t *testing.T) {\n\tt.Error(\"red\")\n}\n\n" +
			"func TestHang(t *testing.T) {\n\tfor Held(11) {\n\t}\n}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	t.Setenv("GOFLAGS", "")
	r := &runner{tmp: t.TempDir(), baselines: map[string]*baseline{}}
	for i, c := range []struct {
		name           string
		from, to, test string
		want           verdict
	}{
		{"a held protection is caught", "return n < 10", "return true", "TestHeld", caughtIt},
		{"a test that does not end is caught", "return n < 10", "return true", "TestHang -timeout 1s", caughtIt},
		{"a test that proves nothing lets it live", "return n > 10", "return true", "TestLoose", survived},
		{"a mutant that does not compile is no catch", "return n < 10", "return nix", "TestHeld", notBuilt},
		{"a red test is no catch", "return n < 10", "return true", "TestRed", noBaseline},
		{"a name that matches no test is no catch", "return n < 10", "return true", "TestGone", noTest},
		{"a line that has moved on is told", "return n < 11", "return true", "TestHeld", notApplied},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := mutant{id: "X", name: "x", file: "small.go", edits: []edit{{c.from, c.to}},
				test: "go test . -run " + c.test}
			if o := r.run(i, m); o.verdict != c.want {
				t.Errorf("%q, want %q\n%s", o.verdict, c.want, o.output)
			}
		})
	}
}

// A list that has lost its line switches nothing off.
func TestListsFitTheTree(t *testing.T) {
	lists, err := filepath.Glob("*.mut")
	if err != nil || len(lists) == 0 {
		t.Fatalf("lists: %v, %v", lists, err)
	}
	for _, list := range lists {
		all, err := readList(list)
		if err != nil {
			t.Error(err)
		}
		for _, m := range all {
			source, err := os.ReadFile(filepath.Join("..", "..", m.file))
			if err == nil {
				_, err = m.apply(string(source))
			}
			if err != nil {
				t.Errorf("%s:%d: %s %s: %v", list, m.line, m.id, m.name, err)
			}
		}
	}
}
