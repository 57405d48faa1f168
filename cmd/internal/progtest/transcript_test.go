package progtest

import (
	"io"
	"os/exec"
	"testing"
)

func TestTranscript(t *testing.T) {
	Transcripts(t, "testdata/*.txtar", func(t *testing.T, tr *Transcript) {
		tr.PlayCmd(t, exec.Command("cat"))
	})
}

func TestLinePattern(t *testing.T) {
	for _, c := range []struct {
		pattern, line string
		want          bool
	}{
		{"250 ok", "250 ok", true},
		{"250 ok", "250 ok ", false},
		{"* OK * done", "* OK [X] done", true},
		{"* OK * done", "* OK a b done", false},
		{"250...", "250-SIZE 1", true},
		{"a ... [CAPABILITY ...] ready", "a b [CAPABILITY x y] ready", true},
		{"1.2", "1x2", false},
		{"queued q=* from=<a>", "queued q=17.x from=<a>", true},
		{"queued q=* from=<a>", "queued q= from=<a>", false},
	} {
		if got := linePattern(c.pattern).MatchString(c.line); got != c.want {
			t.Errorf("%q against %q: %v, want %v", c.pattern, c.line, got, c.want)
		}
	}
}

// A player that could not fail would prove nothing.
func TestPlayerFails(t *testing.T) {
	for name, session := range map[string]string{
		"another line":  "C: a\nS: b\n",
		"too much said": "C: a\nC: b\nS: a\n",
		"no end":        "C: a\nS EOF\n",
	} {
		steps, err := parseSession(session)
		if err != nil {
			t.Fatal(err)
		}
		r, w := io.Pipe()
		p := newPlayer(w, r)
		err = p.play(steps)
		w.Close()
		if err == nil {
			err = p.end()
		}
		if err == nil {
			t.Errorf("%s: the player found nothing wrong", name)
		}
	}
}
