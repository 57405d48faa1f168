package queue

import (
	"math"
	"time"
)

// The steps of the schedule of attempts, in square roots of seconds: attempt n
// comes at birth + (n*step)^2, as qmail's does.
const (
	StepLocal  = 10
	StepRemote = 20
)

// Age is how long an entry has been waiting, as far as it can be believed. Clocks
// jump, by years on a machine whose battery died, and a jump must neither bounce
// the whole queue nor keep mail for ever. The count of attempts is the record that
// only grows: an entry is no older than the schedule allows after so many
// attempts, and no younger than that either if the clock says it is not born yet.
func Age(birth, now time.Time, tries int, step float64) time.Duration {
	wall := now.Sub(birth)
	if wall < 0 {
		return square(step * float64(tries))
	}
	return min(wall, square(step*float64(tries+1)))
}

// NextTry is the time of the attempt after one that has just failed. tries counts
// the attempts before it.
func NextTry(birth, now time.Time, tries int, step float64) time.Time {
	age := Age(birth, now, tries, step)
	return now.Add(wait(age, step))
}

// wait is the time from an attempt at this age to the next.
func wait(age time.Duration, step float64) time.Duration {
	return square(math.Sqrt(age.Seconds())+step) - age
}

// square is s*s seconds, at most a hundred years.
func square(s float64) time.Duration {
	return time.Duration(min(s*s, 100*365*24*3600) * float64(time.Second))
}

// Due reports whether it is time for an entry's next attempt, with entries that
// live so long. A time further off than any schedule makes comes from a clock
// that was wrong: then it is time too.
func Due(next, now time.Time, lifetime time.Duration) bool {
	return !next.After(now) || next.Sub(now) > wait(lifetime, StepRemote)+time.Hour
}
