package dsn

import (
	"fmt"
	"strings"
)

// explanations are the part for people.
var explanations = map[Action]string{
	Failed: `your message could not be delivered to the addresses below.
It will not be tried again.`,
	Delayed: `your message has not been delivered yet to the addresses below.
It will be tried again; you need not send it again.`,
	Delivered: `your message was delivered to the addresses below.`,
	Relayed:   `your message was passed on to a system that may not report back.`,
	Expanded:  `your message was sent on to the members of the lists below.`,
}

func (r *Report) explain() string {
	var b strings.Builder
	opening := "As you asked"
	if r.Action == Failed || r.Action == Delayed {
		opening = "I am sorry"
	}
	fmt.Fprintf(&b, "This is the mail system at %s.\n\n%s: %s\n", plain(r.Host), opening, explanations[r.Action])
	for i := range r.Rcpts {
		to := &r.Rcpts[i]
		fmt.Fprintf(&b, "\n<%s>:\n", line(to.Address))
		if to.Reply.Code != 0 && r.Action != Expanded {
			fmt.Fprintf(&b, "    %s\n", strings.ReplaceAll(fold(line(to.Reply.String())), "\n", "\n   "))
		}
		if !to.GivenUpAt.IsZero() {
			fmt.Fprintf(&b, "    It will be tried until %s.\n", to.GivenUpAt.Format(dateFormat))
		}
	}
	return b.String()
}
