package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// A marionette is Thunderbird on strings: it listens on a port of its own and runs
// scripts with all its rights. A message is its length in digits, a colon, and JSON.
type marionette struct {
	conn net.Conn
	in   *bufio.Reader
	last int
}

// pullStrings connects, when Thunderbird is ready, and opens a session.
func pullStrings(port string) (*marionette, error) {
	m := &marionette{}
	err := eventually("Thunderbird listens", func() (ok bool) {
		var err error
		m.conn, err = net.Dial("tcp", "127.0.0.1:"+port)
		return err == nil
	})
	if err != nil {
		return nil, err
	}
	m.in = bufio.NewReader(m.conn)
	if _, err := m.receive(); err != nil { // what it is
		return nil, err
	}
	for _, c := range []struct {
		name   string
		params map[string]any
	}{
		{"WebDriver:NewSession", map[string]any{"capabilities": map[string]any{}}},
		{"Marionette:SetContext", map[string]any{"value": "chrome"}},
		{"WebDriver:SetTimeouts", map[string]any{"script": patience.Milliseconds()}},
	} {
		if _, err := m.command(c.name, c.params); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// command sends a command and returns its result.
func (m *marionette) command(name string, params map[string]any) (json.RawMessage, error) {
	m.last++
	b, err := json.Marshal([]any{0, m.last, name, params})
	if err != nil {
		return nil, err
	}
	m.conn.SetDeadline(time.Now().Add(2 * patience))
	if _, err := fmt.Fprintf(m.conn, "%d:%s", len(b), b); err != nil {
		return nil, err
	}
	b, err = m.receive()
	if err != nil {
		return nil, err
	}
	var answer [4]json.RawMessage // 1, number, error, result
	if err := json.Unmarshal(b, &answer); err != nil {
		return nil, err
	}
	if string(answer[2]) != "null" {
		return nil, fmt.Errorf("%s: %s", name, answer[2])
	}
	return answer[3], nil
}

func (m *marionette) receive() ([]byte, error) {
	length, err := m.in.ReadString(':')
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(length, ":"))
	if err != nil {
		return nil, err
	}
	b := make([]byte, n)
	_, err = io.ReadFull(m.in, b)
	return b, err
}

// script runs the body of an async function; into takes what it returns.
func (m *marionette) script(body string, into any, args ...any) error {
	const frame = `const done = arguments[arguments.length - 1];
		(async (...args) => { %s })(...arguments).then((v) => done({ v }), (e) => done({ e: e + "\n" + e.stack }));`
	result, err := m.command("WebDriver:ExecuteAsyncScript", map[string]any{
		"script": fmt.Sprintf(frame, body), "args": append([]any{}, args...), "newSandbox": true,
	})
	if err != nil {
		return err
	}
	var value struct {
		Value struct {
			V json.RawMessage
			E string
		}
	}
	if err := json.Unmarshal(result, &value); err != nil {
		return err
	}
	if value.Value.E != "" {
		return errors.New(value.Value.E)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(value.Value.V, into)
}
