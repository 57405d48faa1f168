package main

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ask sends a command and returns the answer, made comparable: each line by what it is
// about, "FETCH 7" or "LIST INBOX", and how it ended by "end".
func (s *session) ask(command string) (map[string]string, error) {
	s.tag++
	tag := fmt.Sprintf("t%d ", s.tag)
	if _, err := io.WriteString(s.in, tag+command+"\r\n"); err != nil {
		return nil, err
	}
	answer := map[string]string{}
	for {
		line, err := s.response()
		if err != nil {
			return nil, fmt.Errorf("%q: %w", command, err)
		}
		if end, ok := strings.CutPrefix(line, tag); ok {
			answer["end"], _, _ = strings.Cut(end, " ")
			return answer, nil
		}
		if strings.HasPrefix(line, "* OK ") || strings.HasPrefix(line, "* FLAGS ") {
			continue // news, which may come with any answer
		}
		key := subjectOf(line)
		if line = same(line); strings.Contains(command, "(") {
			line = children.ReplaceAllString(line, "(")
		}
		answer[key] = strings.TrimSpace(answer[key] + "\n" + line)
	}
}

// response reads a line with its literals, which become quoted strings.
func (s *session) response() (string, error) {
	var all strings.Builder
	for {
		line, err := s.out.ReadString('\n')
		if err != nil {
			return "", err
		}
		line = requote(strings.TrimSuffix(line, "\r\n"))
		m := literal.FindStringSubmatchIndex(line)
		if m == nil {
			all.WriteString(line)
			return all.String(), nil
		}
		n, err := strconv.Atoi(line[m[2]:m[3]])
		if err != nil {
			return "", err
		}
		b := make([]byte, n)
		if _, err := io.ReadFull(s.out, b); err != nil {
			return "", err
		}
		all.WriteString(line[:m[0]] + strconv.Quote(string(b)))
	}
}

var (
	literal = regexp.MustCompile(`~?\{(\d+)\}$`)
	quoted  = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	escape  = regexp.MustCompile(`\\(.)`)
)

// requote writes quoted strings as literals are written.
func requote(line string) string {
	return quoted.ReplaceAllStringFunc(line, func(q string) string {
		return strconv.Quote(escape.ReplaceAllString(q[1:len(q)-1], "$1"))
	})
}

var about = []struct {
	line *regexp.Regexp
	key  string
}{
	{regexp.MustCompile(`^\* \d+ FETCH \(UID (\d+)`), "FETCH $1"},
	{regexp.MustCompile(`^\* (LIST|LSUB) .*?"\." (.*)$`), "$1 $2"},
	{regexp.MustCompile(`^\* STATUS (\S+) .*$`), "STATUS $1"},
	{regexp.MustCompile(`^\* (\S+).*$`), "$1"},
}

// subjectOf says what a line is about.
func subjectOf(line string) string {
	for _, a := range about {
		if m := a.line.FindStringSubmatchIndex(line); m != nil {
			return string(a.line.ExpandString(nil, a.key, line, m))
		}
	}
	return line
}

// sameness makes the same what the RFCs hold for the same.
var sameness = []struct {
	from *regexp.Regexp
	to   string
}{
	// A section that is not there is NIL or empty.
	{regexp.MustCompile(`(BODY|BINARY)(\[[0-9.]*(?:MIME|HEADER|TEXT)?\](?:<\d+>)?) NIL`), `$1$2 ""`},
	// The default of a text's charset may be said (RFC 2046 section 4.1.2).
	{regexp.MustCompile(`("text" "[^"]*") \("charset" "us-ascii"\)`), "$1 NIL"},
	{regexp.MustCompile(`\* \d+ FETCH`), "* FETCH"},
	{regexp.MustCompile(`\(TAG "[^"]*"\) `), ""},
}

// same makes the same what the RFCs hold for the same, and sorts attributes, flags and
// the results of SEARCH, which have no order.
func same(line string) string {
	for _, s := range sameness {
		line = s.from.ReplaceAllString(line, s.to)
	}
	return attributes.ReplaceAllStringFunc(line, func(list string) string {
		words := strings.Fields(list[1 : len(list)-1])
		slices.Sort(words)
		return "(" + strings.Join(words, " ") + ")"
	})
}

// children are attributes that need not be in the answer to an extended LIST that does
// not ask for them (RFC 5258 section 4); they come first when sorted.
var children = regexp.MustCompile(`\(\\Has(?:No)?Children ?`)

var attributes = regexp.MustCompile(`\((?:[\\$]\w+ ?)*\)`)
