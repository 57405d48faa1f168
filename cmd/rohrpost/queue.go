package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"rohrpost/cmd/internal/frame"
	"rohrpost/maildir/disk"
	"rohrpost/maildir/queue"
)

// desk is the queue as a person works on it.
type desk struct {
	place
	path string // --queue
	all  bool

	q   *queue.Queue
	out io.Writer
}

func queueCommand() *cobra.Command {
	d := &desk{}
	c := &cobra.Command{
		Use:   "queue COMMAND",
		Short: "show, hold, release, retry and cancel what waits",
		Long: `queue works on the mail that waits, rohrpost-queue(5). An entry is named by its
ID or the beginning of it, ID/N is its recipient number N, and @DOMAIN is all
that waits for a domain. relay may run meanwhile.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, args []string) error { return c.Help() },
	}
	d.flags(c)
	c.PersistentFlags().StringVar(&d.path, "queue", "", "queue `DIR`")
	c.AddCommand(d.list(), d.show())
	for _, v := range verbs {
		c.AddCommand(d.change(v))
	}
	return c
}

// open opens the queue that the flags name.
func (d *desk) open(c *cobra.Command) error {
	etc, err := d.named()
	if err != nil {
		return err
	}
	path, err := etc.Queue(d.path)
	if err != nil {
		return err
	}
	d.out = c.OutOrStdout()
	d.q, err = queue.Open(path, disk.OS)
	if err != nil {
		err = fmt.Errorf("open the queue: %w; is it another directory (--home, --etc, --queue)?", err)
	}
	return err
}

func (d *desk) list() *cobra.Command {
	long := false
	c := &cobra.Command{
		Use:   "list [ID[/N]|@DOMAIN...]",
		Short: "list what waits: when, for whom, from whom",
		RunE: func(c *cobra.Command, args []string) error {
			if err := d.open(c); err != nil {
				return err
			}
			defer d.q.Close()
			entries, err := d.selected(args, len(args) == 0)
			if err != nil {
				return err
			}
			return d.table(entries, long, time.Now())
		},
	}
	c.Flags().BoolVar(&long, "long", false, "add the last reply")
	return c
}

// table prints entries, one line each.
func (d *desk) table(entries []queue.Entry, long bool, now time.Time) error {
	buffered := bufio.NewWriter(d.out)
	w := tabwriter.NewWriter(buffered, 0, 8, 2, ' ', 0)
	head := "ID\tSTATE\tTRIES\tNEXT\tAGE\tSIZE\tFROM\tTO"
	if long {
		head += "\tLAST REPLY"
	}
	fmt.Fprintln(w, head)
	for _, e := range entries {
		if err := d.row(w, e, long, now); err != nil {
			return err
		}
	}
	return errors.Join(w.Flush(), buffered.Flush())
}

// row prints one entry; one that has just gone is left out.
func (d *desk) row(w io.Writer, e queue.Entry, long bool, now time.Time) error {
	env, f, size, err := d.q.Read(e)
	if errors.Is(err, queue.ErrGone) {
		return nil
	}
	if err != nil {
		_, err = fmt.Fprintf(w, "%s\tunreadable\t%d\t-\t-\t-\t-\t%s\n", reference(e), e.Tries, printable(err.Error()))
		return err
	}
	f.Close()
	fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%d\t%s\t%s", reference(e), state(e, now), e.Tries,
		in(e.Next, now), span(now.Sub(env.Arrived)), size, path(env.Sender), printable(recipients(e, env)))
	if long {
		fmt.Fprintf(w, "\t%s", printable(d.note(e)))
	}
	_, err = fmt.Fprintln(w)
	return err
}

func (d *desk) show() *cobra.Command {
	return &cobra.Command{
		Use:   "show ID[/N]",
		Short: "show an entry: envelope, last replies, head of the message",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := d.open(c); err != nil {
				return err
			}
			defer d.q.Close()
			entries, err := d.selected(args, false)
			if err != nil {
				return err
			}
			return d.print(entries, time.Now())
		},
	}
}

// print shows one entry, given by all its names.
func (d *desk) print(entries []queue.Entry, now time.Time) error {
	env, f, size, err := d.q.Read(entries[0])
	if err != nil {
		return fmt.Errorf("read %s: %w", entries[0].ID, err)
	}
	defer f.Close()
	w := bufio.NewWriter(d.out)
	fmt.Fprintf(w, "id: %s\nfrom: %s\narrived: %s (%s ago)\nsize: %d\n", entries[0].ID, path(env.Sender),
		env.Arrived.Format(time.RFC3339), span(now.Sub(env.Arrived)), size)
	for _, field := range [][2]string{{"client", env.Client}, {"body", env.Body}, {"ret", env.Ret}, {"envid", env.EnvID}, {"auth", env.Auth}} {
		if field[1] != "" {
			fmt.Fprintf(w, "%s: %s\n", field[0], printable(field[1]))
		}
	}
	for _, e := range entries {
		fmt.Fprintf(w, "to: %s (%s, tries %d, next %s)\n", printable(recipients(e, env)), state(e, now), e.Tries, in(e.Next, now))
		if note := d.note(e); note != "" {
			fmt.Fprintf(w, "  last reply: %s\n", printable(note))
		}
	}
	fmt.Fprintln(w)
	if err := head(w, f); err != nil {
		return err
	}
	return w.Flush()
}

// maxHead bounds what show prints of a message, in lines.
const maxHead = 100

// head prints the header of a message.
func head(w io.Writer, message io.Reader) error {
	r := bufio.NewReader(message)
	for range maxHead {
		line, _, err := r.ReadLine()
		if err == io.EOF || err == nil && len(line) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		fmt.Fprintln(w, printable(string(line)))
	}
	return nil
}

// note is the last reply to a recipient; one that cannot be read is none.
func (d *desk) note(e queue.Entry) string {
	text, _ := d.q.ReadNote(e)
	return text
}

// verb is a command that changes entries.
type verb struct {
	name, short, done string
	do                func(*queue.Queue, queue.Entry) error
}

var verbs = []verb{
	{"hold", "keep entries from being tried", "held", func(q *queue.Queue, e queue.Entry) error {
		_, err := q.Hold(e)
		return err
	}},
	{"release", "end a hold", "released", func(q *queue.Queue, e queue.Entry) error {
		_, err := q.Release(e)
		return err
	}},
	{"retry", "make entries due now", "due now", func(q *queue.Queue, e queue.Entry) error {
		_, err := q.RetryNow(e, time.Now())
		return err
	}},
	{"cancel", "drop entries without delivery and without a report", "cancelled", func(q *queue.Queue, e queue.Entry) error {
		return q.Cancel(e)
	}},
}

func (d *desk) change(v verb) *cobra.Command {
	c := &cobra.Command{
		Use:   v.name + " ID[/N]|@DOMAIN...",
		Short: v.short,
		RunE: func(c *cobra.Command, args []string) error {
			if (len(args) == 0) != d.all {
				return frame.Usage(errors.New("name entries, or give --all"))
			}
			if err := d.open(c); err != nil {
				return err
			}
			defer d.q.Close()
			entries, err := d.selected(args, d.all)
			if err != nil {
				return err
			}
			return d.apply(v, entries)
		},
	}
	c.Flags().BoolVar(&d.all, "all", false, "all entries")
	return c
}

// apply changes entries one by one, past those that have just gone.
func (d *desk) apply(v verb, entries []queue.Entry) error {
	var failed error
	for _, e := range entries {
		switch err := v.do(d.q, e); {
		case errors.Is(err, queue.ErrGone):
			fmt.Fprintf(d.out, "%s: gone meanwhile\n", reference(e))
		case err != nil:
			failed = errors.Join(failed, fmt.Errorf("%s %s: %w", v.name, reference(e), err))
		default:
			fmt.Fprintf(d.out, "%s: %s\n", reference(e), v.done)
		}
	}
	return failed
}

// reference is how a person names the entry: ID, or ID/N once it is expanded.
func reference(e queue.Entry) string {
	if e.R == 0 {
		return e.ID
	}
	return e.ID + "/" + strconv.Itoa(e.R)
}
