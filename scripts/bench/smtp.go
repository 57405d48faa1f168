package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const smtpNote = `c = connections at once, m = messages per connection, one recipient each, four mailboxes in turn, commands pipelined as Postfix's
client does. Every message is counted in the Maildirs. Processor time is counted until the server rests. Postfix has its defaults, no chroot, and
delivers by virtual(8). "Postfix +D" is the same with spool and Maildirs under chattr +D, so that a new name is on the disk when its call returns: the
durability that rohrpost gives, which plain Postfix does not. Dovecot's LMTP has no queue.`

const postfixD = "Postfix +D"

// smtpRows are the shapes of load; quick runs send a tenth.
var smtpRows = []struct {
	size, conns, perConn, total int
}{
	{4 << 10, 4, 1, 600},
	{4 << 10, 4, 100, 1000},
	{100 << 10, 4, 1, 200},
	{100 << 10, 4, 100, 300},
}

func benchSMTP(b *bench) (*table, error) {
	lmtp := dovecot
	lmtp.name = "Dovecot LMTP"
	servers, err := b.startAll(b.ours(nil), postfix, contender{postfixD, "postfix", startPostfixD}, lmtp)
	if err != nil {
		return nil, err
	}
	defer stopAll(servers)
	t := newTable(ours, "Postfix", postfixD, "Dovecot LMTP")
	for _, row := range smtpRows {
		l := load{conns: row.conns, perConn: row.perConn, total: b.scale(row.total), body: body(row.size), to: recipients()}
		rate, cpu := map[string]series{}, map[string]series{}
		for range b.rounds {
			for _, s := range servers {
				r, c, err := smtpRound(s, l)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", s.name, err)
				}
				rate[s.name] = append(rate[s.name], r)
				cpu[s.name] = append(cpu[s.name], c)
			}
		}
		what := fmt.Sprintf("%d KB, c%d, m%d (%d)", row.size>>10, row.conns, row.perConn, l.total)
		// Ahead with many messages a connection; with one, a program's start is in it.
		rateGoal, cpuGoal := 1.0, 1.0
		if row.perConn == 1 {
			rateGoal, cpuGoal = 0.9, 1.3
		}
		t.add(what, "delivered /s", rate, goal{to: "Postfix", atLeast: rateGoal}, goal{to: postfixD, atLeast: rateGoal})
		t.add(what, "CPU ms/msg", cpu, goal{to: "Postfix", atMost: cpuGoal}, goal{to: postfixD, atMost: cpuGoal})
	}
	return t, nil
}

// startPostfixD starts a Postfix in a directory under chattr +D.
func startPostfixD(name, dir string) (*server, error) {
	if err := dirsync(dir); err != nil {
		return nil, fmt.Errorf("%s %w: %w", name, errLeftOut, err)
	}
	return startPostfix(name, dir)
}

// dirsync makes a directory whose entries, and those of all directories to be
// made in it, are written at once, as chattr +D does.
func dirsync(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	const dirsyncFlag = 0x10000 // FS_DIRSYNC_FL of linux/fs.h
	flags, err := unix.IoctlGetUint32(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, int(flags|dirsyncFlag))
	}
	if err != nil {
		return fmt.Errorf("the file system of %s knows no chattr +D (ext4 does): %w", dir, err)
	}
	return nil
}

// smtpRound sends the load once: messages delivered per second, and processor
// time per message in ms.
func smtpRound(s *server, l load) (rate, cpu float64, err error) {
	if err := s.empty(); err != nil {
		return 0, 0, err
	}
	arrived, err := watch(s.maildirs)
	if err != nil {
		return 0, 0, err
	}
	l.addr, l.lmtp = s.smtp, s.lmtp
	before := s.settle()
	start := time.Now()
	err = errors.Join(l.send(), arrived.wait(l.total, 2*time.Minute))
	took := time.Since(start)
	if err != nil {
		return 0, 0, err
	}
	used := s.settle() - before
	if err := stored(s.maildirs, l.total, int64(len(l.body))*95/100); err != nil {
		return 0, 0, err
	}
	n := float64(l.total)
	return n / took.Seconds(), used.Seconds() * 1000 / n, nil
}
