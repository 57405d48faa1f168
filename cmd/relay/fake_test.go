package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// fake is an LMTP server in place of deliver. mode is one of
//
//	store    everything is accepted
//	die      ends at the first message ever, then accepts
//	dead     ends at once, always
//	hang     never answers the first message ever, then accepts
//	stuck    never answers a message
//	NNN ...  that is the verdict
//
// Each command goes to the file FAKE_LOG.
func fake(mode string) {
	log, err := os.OpenFile(os.Getenv("FAKE_LOG"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil || mode == "dead" {
		os.Exit(75)
	}
	in, rcpts := bufio.NewReader(os.Stdin), 0
	fmt.Print("220 fake\r\n")
	for {
		l, err := in.ReadString('\n')
		if err != nil {
			return
		}
		l = strings.TrimSuffix(l, "\r\n")
		fmt.Fprintln(log, l)
		verb, rest, _ := strings.Cut(l, " ")
		switch verb {
		case "LHLO":
			fmt.Print("250-fake\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-XDELIVERYID\r\n250 CHUNKING\r\n")
			continue
		case "RCPT":
			rcpts++
		case "BDAT":
			n, _ := strconv.ParseInt(strings.TrimSuffix(rest, " LAST"), 10, 64)
			io.CopyN(io.Discard, in, n)
			if strings.HasSuffix(rest, "LAST") {
				fmt.Print(strings.Repeat(verdictFor(mode, in), rcpts))
				rcpts = 0
				continue
			}
		}
		fmt.Print("250 ok\r\n")
		if verb == "QUIT" {
			return
		}
	}
}

func verdictFor(mode string, in io.Reader) string {
	first := func() bool {
		f, err := os.OpenFile(os.Getenv("FAKE_LOG")+".first", os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		f.Close()
		return err == nil
	}
	switch {
	case mode == "store":
	case mode == "die":
		if first() {
			os.Exit(1)
		}
	case mode == "hang" || mode == "stuck":
		if mode == "stuck" || first() {
			io.Copy(io.Discard, in) // for as long as relay has patience
		}
	default:
		return mode + "\r\n"
	}
	return "250 2.0.0 stored\r\n"
}
