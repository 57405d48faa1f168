// Floor greets, reads lines and answers each, and does nothing else: what any
// Go program costs that is started for a connection.
package main

import (
	"bufio"
	"os"
)

func main() {
	os.Stdout.WriteString("220 floor\r\n")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		os.Stdout.WriteString("250 ok\r\n")
	}
}
