// Package imaptest reads what an IMAP server says, strictly: a judge for tests of
// servers. It knows the frame of RFC 9051 section 9 (lines, literals, strings, lists,
// response codes) and nothing of package imap, whose encoder it judges.
//
// Start reading at Reader.Next.
package imaptest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Response is one response: a line, with the literals in it.
type Response struct {
	Tag    string  // "*", "+" or that of a command
	Number uint32  // of "* 3 EXISTS", "* 3 FETCH (...)"
	Name   string  // "OK", "EXISTS", "LIST"; "" after "+"
	Code   string  // of the response code: "UIDNEXT"
	CodeOf []Value // what follows it in the brackets
	Text   string  // of a status response, or after "+"
	Args   []Value // of any other
	Raw    string  // the line without its literals' octets
}

// Status reports whether it is OK, NO, BAD, BYE or PREAUTH.
func (r Response) Status() bool {
	switch r.Name {
	case "OK", "NO", "BAD", "BYE", "PREAUTH":
		return true
	}
	return false
}

// Kind is what a Value is.
type Kind uint8

// The kinds of values.
const (
	Atom Kind = iota // also numbers, flags, NIL, and names with a section
	String
	List
)

// Value is an atom, a string or a list.
type Value struct {
	Kind Kind
	Text string // of an atom or a string
	List []Value
}

// Number is the number that an atom is.
func (v Value) Number() (uint64, error) {
	if v.Kind != Atom {
		return 0, fmt.Errorf("%q is no atom", v.Text)
	}
	return strconv.ParseUint(v.Text, 10, 63)
}

// Reader reads responses.
type Reader struct {
	r    *bufio.Reader
	line []byte // what is left of the line
	raw  bytes.Buffer
}

// NewReader reads responses from r.
func NewReader(r io.Reader) *Reader { return &Reader{r: bufio.NewReader(r)} }

// Next is the next response. The error is io.EOF only between two of them.
func (r *Reader) Next() (resp Response, err error) {
	r.raw.Reset()
	if err := r.readLine(); err != nil {
		return resp, err
	}
	defer func() {
		resp.Raw = r.raw.String()
		if err != nil {
			err = fmt.Errorf("%w, in %.400q at %.100q", err, resp.Raw, r.line)
		}
	}()
	resp.Tag = string(r.take(isTag))
	switch {
	case resp.Tag == "" && r.accept('*'):
		resp.Tag = "*"
	case resp.Tag == "" && r.accept('+'):
		resp.Tag = "+"
	case resp.Tag == "":
		return resp, errors.New("no tag")
	}
	if !r.accept(' ') {
		return resp, errors.New("no space behind the tag")
	}
	if resp.Tag == "+" {
		resp.Text = string(r.line)
		return resp, nil
	}
	return resp, r.body(&resp)
}

// body reads what follows the tag.
func (r *Reader) body(resp *Response) error {
	if n := r.take(isDigit); len(n) > 0 {
		v, err := strconv.ParseUint(string(n), 10, 32)
		if err != nil || !r.accept(' ') || resp.Tag != "*" || len(n) > 1 && n[0] == '0' {
			return errors.New("odd number")
		}
		resp.Number = uint32(v)
	}
	resp.Name = string(r.take(isUpper))
	if resp.Name == "" {
		return errors.New("no name")
	}
	if resp.Status() {
		return r.status(resp)
	}
	if resp.Tag != "*" {
		return errors.New("tagged, and no status response")
	}
	for len(r.line) > 0 {
		if !r.accept(' ') {
			return errors.New("no space between values")
		}
		v, err := r.value(0)
		if err != nil {
			return err
		}
		resp.Args = append(resp.Args, v)
		// RFC 5256 section 5: threads stand one after the other without a space.
		for resp.Name == "THREAD" && len(r.line) > 0 && r.line[0] == '(' {
			if v, err = r.value(0); err != nil {
				return err
			}
			resp.Args = append(resp.Args, v)
		}
	}
	return nil
}

// status reads the rest of a status response.
func (r *Reader) status(resp *Response) error {
	if !r.accept(' ') {
		return errors.New("no text")
	}
	if r.accept('[') {
		resp.Code = string(r.take(isAtom))
		if resp.Code == "" {
			return errors.New("no response code in the brackets")
		}
		for !r.accept(']') {
			if !r.accept(' ') {
				return errors.New("response code does not end")
			}
			v, err := r.value(0)
			if err != nil {
				return err
			}
			resp.CodeOf = append(resp.CodeOf, v)
		}
		if !r.accept(' ') {
			return errors.New("no text behind the response code")
		}
	}
	resp.Text = string(r.line)
	if resp.Text == "" {
		return errors.New("empty text") // RFC 9051 section 9: text = 1*TEXT-CHAR
	}
	return nil
}

// maxDepth bounds lists within lists.
const maxDepth = 400

func (r *Reader) value(depth int) (Value, error) {
	if depth > maxDepth {
		return Value{}, errors.New("too deep")
	}
	switch {
	case len(r.line) == 0:
		return Value{}, errors.New("value expected")
	case r.line[0] == '(':
		return r.list(depth)
	case r.line[0] == '"':
		s, err := r.quoted()
		return Value{Kind: String, Text: s}, err
	case r.line[0] == '{' || r.line[0] == '~' && len(r.line) > 1 && r.line[1] == '{':
		s, err := r.literal()
		return Value{Kind: String, Text: s}, err
	}
	a, err := r.atom()
	return Value{Kind: Atom, Text: a}, err
}

// list reads a list. Lists in it may stand without a space between them, as bodies
// and addresses do.
func (r *Reader) list(depth int) (Value, error) {
	r.accept('(')
	v := Value{Kind: List}
	for !r.accept(')') {
		last := len(v.List) - 1
		switch {
		case last < 0 || v.List[last].Kind == List && len(r.line) > 0 && r.line[0] == '(':
		case !r.accept(' '):
			return v, errors.New("no space in a list")
		}
		item, err := r.value(depth + 1)
		if err != nil {
			return v, err
		}
		v.List = append(v.List, item)
	}
	return v, nil
}

func (r *Reader) quoted() (string, error) {
	r.accept('"')
	var s []byte
	for len(r.line) > 0 {
		c := r.line[0]
		r.line = r.line[1:]
		switch {
		case c == '"':
			return string(s), nil
		case c == '\\':
			if len(r.line) == 0 || r.line[0] != '"' && r.line[0] != '\\' {
				return "", errors.New("odd escape in a quoted string")
			}
			c = r.line[0]
			r.line = r.line[1:]
		}
		s = append(s, c)
	}
	return "", errors.New("quoted string does not end")
}

// literal reads a literal and the line that goes on behind it.
func (r *Reader) literal() (string, error) {
	binary := r.accept('~')
	r.accept('{')
	digits := r.take(isDigit)
	n, err := strconv.ParseInt(string(digits), 10, 63)
	if err != nil || string(r.line) != "}" {
		return "", errors.New("odd literal")
	}
	var octets bytes.Buffer
	if _, err := io.CopyN(&octets, r.r, n); err != nil {
		return "", fmt.Errorf("literal of %d is cut off: %w", n, err)
	}
	if !binary && bytes.IndexByte(octets.Bytes(), 0) >= 0 {
		return "", errors.New("NUL in a literal")
	}
	return octets.String(), r.readLine()
}

// atom reads an atom, a flag, or the name of an item with its section.
func (r *Reader) atom() (string, error) {
	var s []byte
	if r.accept('\\') {
		s = append(s, '\\')
	}
	s = append(s, r.take(isAtom)...)
	if len(s) == 0 && r.accept('*') {
		return "*", nil
	}
	if len(s) == 1 && s[0] == '\\' && r.accept('*') {
		return `\*`, nil
	}
	if len(s) == 0 {
		return "", errors.New("value expected")
	}
	if len(r.line) == 0 || r.line[0] != '[' {
		return string(s), nil
	}
	section, err := r.section()
	return string(s) + section, err
}

// section reads [...] and <n>. A header field's name in it may be any string.
func (r *Reader) section() (string, error) {
	var s []byte
	for len(r.line) > 0 {
		switch c := r.line[0]; c {
		case ']':
			s = append(s, ']')
			r.line = r.line[1:]
			if r.accept('<') {
				n := r.take(isDigit)
				if len(n) == 0 || !r.accept('>') {
					return "", errors.New("odd origin")
				}
				s = append(append(append(s, '<'), n...), '>')
			}
			return string(s), nil
		case '"':
			q, err := r.quoted()
			if err != nil {
				return "", err
			}
			s = append(s, q...)
		case '{':
			l, err := r.literal()
			if err != nil {
				return "", err
			}
			s = append(s, l...)
		default:
			s = append(s, c)
			r.line = r.line[1:]
		}
	}
	return "", errors.New("section does not end")
}

// readLine reads the next line, which ends in CRLF and has no other CR, LF or NUL.
func (r *Reader) readLine() error {
	l, err := r.r.ReadBytes('\n')
	if err == io.EOF && len(l) > 0 {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		r.raw.Write(l)
		return err
	}
	text, ok := bytes.CutSuffix(l, []byte("\r\n"))
	r.raw.Write(text)
	if !ok || bytes.ContainsAny(text, "\r\n\x00") {
		return fmt.Errorf("line %.100q does not end in CRLF, or has a CR or a NUL", l)
	}
	r.line = text
	return nil
}

func (r *Reader) accept(c byte) bool {
	if len(r.line) == 0 || r.line[0] != c {
		return false
	}
	r.line = r.line[1:]
	return true
}

func (r *Reader) take(is func(c byte) bool) []byte {
	n := 0
	for n < len(r.line) && is(r.line[n]) {
		n++
	}
	s := r.line[:n]
	r.line = r.line[n:]
	return s
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

// isAtom is ATOM-CHAR without the bracket that begins a section.
func isAtom(c byte) bool { return c > ' ' && c < 0x7f && !strings.ContainsRune(`(){%*"\[]`, rune(c)) }

// isTag is what a tag may hold.
func isTag(c byte) bool { return isAtom(c) && c != '+' || c == ']' || c == '[' }
