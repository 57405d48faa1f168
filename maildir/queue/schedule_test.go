package queue

import (
	"math"
	"testing"
	"time"
)

const fiveDays = 5 * 24 * time.Hour

// The schedule is qmail's: attempt n at birth + (n*step)^2.
func TestScheduleIsQmails(t *testing.T) {
	t.Parallel()
	birth := time.Unix(1767323045, 0)
	for _, step := range []float64{StepLocal, StepRemote} {
		now := birth
		for tries := range 40 {
			now = NextTry(birth, now, tries, step)
			want := math.Pow(step*float64(tries+1), 2)
			if got := now.Sub(birth).Seconds(); math.Abs(got-want) > 1 {
				t.Fatalf("step %v: attempt %d comes after %v s, want %v", step, tries+1, got, want)
			}
		}
	}
}

func TestQ17_ClockForwardBouncesNothing(t *testing.T) {
	t.Parallel()
	birth := time.Unix(1767323045, 0)
	later := birth.AddDate(10, 0, 0)
	for tries := range 30 {
		if age := Age(birth, later, tries, StepRemote); age >= fiveDays {
			t.Errorf("after %d attempts it counts as %v old", tries, age)
		}
		if wait := NextTry(birth, later, tries, StepRemote).Sub(later); wait > 8*time.Hour {
			t.Errorf("after %d attempts the next comes in %v", tries, wait)
		}
	}
	if age := Age(birth, later, 40, StepRemote); age < fiveDays {
		t.Errorf("after all attempts of five days it counts as %v old only", age)
	}
}

func TestQ17_ClockBackwardKeepsNothingForEver(t *testing.T) {
	t.Parallel()
	birth := time.Unix(1767323045, 0)
	before := birth.AddDate(0, 0, -1)
	if wait := NextTry(birth, before, 0, StepLocal).Sub(before); wait < 0 || wait > time.Hour {
		t.Errorf("the second attempt comes in %v", wait)
	}
	if age := Age(birth, before, 70, StepLocal); age < fiveDays {
		t.Errorf("after all attempts of five days it counts as %v old only", age)
	}
}

func TestQ17_TimeOfAWrongClockIsDue(t *testing.T) {
	t.Parallel()
	now := time.Unix(1767323045, 0)
	for _, c := range []struct {
		next time.Duration
		want bool
	}{{-time.Second, true}, {0, true}, {time.Second, false}, {7 * time.Hour, false}, {48 * time.Hour, true}, {10 * 365 * 24 * time.Hour, true}} {
		if got := Due(now.Add(c.next), now, fiveDays); got != c.want {
			t.Errorf("due in %v: %t", c.next, got)
		}
	}
}
