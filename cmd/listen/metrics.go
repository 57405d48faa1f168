package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// metricsEvery is the least time between two writings of the metrics.
const metricsEvery = 5 * time.Second

// counters are what happened since the start.
type counters struct {
	accepted, ended, failed, killed, exhausted int64
	refused                                    [reasons]int64
}

func (*counters) add(n *int64) { atomic.AddInt64(n, 1) }

// metrics is the counters in the text format of Prometheus, for the textfile
// collector of a node exporter.
func (s *server) metrics(name string) string {
	var b strings.Builder
	label := fmt.Sprintf("program=%q", name)
	family := func(metric, kind, help string) {
		fmt.Fprintf(&b, "# HELP rohrpost_listen_%s %s\n# TYPE rohrpost_listen_%s %s\n", metric, help, metric, kind)
	}
	value := func(metric, more string, v int64) {
		fmt.Fprintf(&b, "rohrpost_listen_%s{%s%s} %d\n", metric, label, more, v)
	}
	family("accepted_total", "counter", "Connections accepted.")
	value("accepted_total", "", atomic.LoadInt64(&s.count.accepted))
	family("refused_total", "counter", "Connections that got no program, by reason.")
	for r, n := range reasonNames {
		value("refused_total", fmt.Sprintf(",reason=%q", n), atomic.LoadInt64(&s.count.refused[r]))
	}
	family("ended_total", "counter", "Sessions that ended, by how.")
	value("ended_total", `,status="ok"`, atomic.LoadInt64(&s.count.ended))
	value("ended_total", `,status="failed"`, atomic.LoadInt64(&s.count.failed))
	value("ended_total", `,status="killed"`, atomic.LoadInt64(&s.count.killed))
	family("exhausted_total", "counter", "Times that accepting failed for want of descriptors or memory.")
	value("exhausted_total", "", atomic.LoadInt64(&s.count.exhausted))
	family("sessions", "gauge", "Sessions now.")
	value("sessions", "", int64(s.sessions()))
	return b.String()
}

// writeMetrics replaces the file at once, so that no reader sees half of it.
func (s *server) writeMetrics(path, name string) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("metrics: %w; the directory must be writable for the user of --user", err)
	}
	_, err = tmp.WriteString(s.metrics(name))
	if err == nil {
		err = tmp.Chmod(0o644) // another user's program reads it
	}
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		os.Remove(tmp.Name())
		return fmt.Errorf("metrics: %w", err)
	}
	return nil
}

// keepMetrics writes the file whenever something has changed, at most every
// metricsEvery. Trouble with it is logged and is no trouble for the mail.
func (s *server) keepMetrics(path, name string, tick <-chan time.Time) {
	last := ""
	for range tick {
		if now := s.metrics(name); now != last {
			last = now
			if err := s.writeMetrics(path, name); err != nil {
				s.quiet.event(s.log, "metrics-failed", "err", err)
			}
		}
	}
}
