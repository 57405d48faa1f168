package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A terminal is a screen that a client runs on, kept by a tmux of its own.
type terminal struct {
	v    *visit
	name string
}

// patience is how long a client may take to show something.
const patience = 30 * time.Second

// terminal starts a program on a screen of 140 columns and 50 lines.
func (v *visit) terminal(name string, args ...string) (*terminal, error) {
	t := &terminal{v, fmt.Sprintf("rohrpost-interop-%d", os.Getpid())}
	command := append([]string{"env", "-i"}, v.environ()...)
	command = append(command, name)
	start := []string{"-f", "/dev/null", "new-session", "-d", "-x", "140", "-y", "50", "--"}
	_, err := t.tmux(append(start, append(command, args...)...)...)
	return t, err
}

func (t *terminal) tmux(args ...string) (string, error) {
	out, err := exec.Command("tmux", append([]string{"-L", t.name}, args...)...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("tmux %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), err
}

// special is a key by tmux's name for it.
var special = regexp.MustCompile(`<[A-Z][A-Za-z0-9-]*>`)

// press types a text, in which <Enter>, <Escape>, <F2> or <C-u> is that key.
func (t *terminal) press(text string) error {
	for text != "" {
		at := special.FindStringIndex(text)
		if at == nil {
			at = []int{len(text), len(text)}
		}
		if plain := text[:at[0]]; plain != "" {
			if _, err := t.tmux("send-keys", "-l", "--", plain); err != nil {
				return err
			}
		}
		if key := strings.Trim(text[at[0]:at[1]], "<>"); key != "" {
			if _, err := t.tmux("send-keys", key); err != nil {
				return err
			}
		}
		text = text[at[1]:]
	}
	return nil
}

// A step is what a user types, and what the screen must then show, or not show with
// "not:" before it.
type step struct {
	press string
	shows []string
}

// play goes through the steps up to the first that does not do what it should.
func (t *terminal) play(steps ...step) error {
	for _, s := range steps {
		if err := t.press(s.press); err != nil {
			return err
		}
		if err := t.waits(s.shows...); err != nil {
			return fmt.Errorf("after %q: %w", s.press, err)
		}
	}
	return nil
}

// blank are the empty lines of a screen.
var blank = regexp.MustCompile(`\n\s*\n+`)

// screen is what the client shows, without empty lines.
func (t *terminal) screen() string {
	out, _ := t.tmux("capture-pane", "-p")
	return strings.TrimSpace(blank.ReplaceAllString(out, "\n"))
}

// eventually waits until something is so.
func eventually(what string, so func() bool) error {
	for end := time.Now().Add(patience); !so(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("not in %v: %s", patience, what)
		}
	}
	return nil
}

// waits waits until all texts are on the screen, and those after "not:" are not.
func (t *terminal) waits(texts ...string) error {
	screen := ""
	err := eventually(fmt.Sprintf("the screen shows %q", texts), func() bool {
		screen = t.screen()
		return !slices.ContainsFunc(texts, func(text string) bool {
			absent, not := strings.CutPrefix(text, "not:")
			return strings.Contains(screen, absent) == not
		})
	})
	if err != nil {
		return fmt.Errorf("%w; it is\n%s", err, screen)
	}
	return nil
}

// ended waits until the client has ended by itself.
func (t *terminal) ended() error {
	return eventually("the client ends", func() bool {
		_, err := t.tmux("has-session")
		return err != nil
	})
}

// close ends what still runs.
func (t *terminal) close() { t.tmux("kill-server") }
