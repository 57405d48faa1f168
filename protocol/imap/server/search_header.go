package server

import (
	"bytes"
	"io"

	"rohrpost/protocol/message"
)

// fieldRoom is how much of a header is held, in bytes: a field that is longer comes
// in pieces, cut between lines where that can be.
const fieldRoom = 64 << 10

// fields reads a header and hands on one field after the other, or a piece of one:
// then first says whether it is the first. It ends with the header, or when yield
// returns false.
func (q *query) fields(r io.Reader, yield func(field []byte, first bool) bool) error {
	if q.room == nil {
		q.room = make([]byte, fieldRoom)
	}
	have, first := 0, true
	for {
		n, err := io.ReadFull(r, q.room[have:])
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return err
		}
		rest, more := q.room[:have+n], err == nil
		for len(rest) > 0 {
			field, behind, whole := cutField(rest, more)
			if !whole {
				if len(rest) < len(q.room) {
					break
				}
				field, behind = cutPiece(rest)
			}
			if !yield(field, first) {
				return nil
			}
			rest, first = behind, whole
		}
		if !more {
			return nil
		}
		have = copy(q.room, rest)
	}
}

// cutPiece cuts off the lines of a field that is not complete, or what there is of one
// line.
func cutPiece(b []byte) (piece, rest []byte) {
	end := bytes.LastIndexByte(b[:len(b)-1], '\n') + 1
	if end == 0 {
		end = len(b)
	}
	return b[:end], b[end:]
}

// learnKept looks for needles in the fields that are kept.
func (q *query) learnKept() error {
	fields, err := q.content.kept()
	if err != nil {
		return err
	}
	for open := len(q.looking[stageKept]); len(fields) > 0 && open > 0; {
		var field []byte
		field, fields, _ = cutField(fields, false)
		for _, t := range q.looking[stageKept] {
			if !t.needle.found && isNamed(field, t.field) && q.lookIn(t, field) {
				open--
			}
		}
	}
	return nil
}

// lookIn looks for a test's needle in a whole field.
func (q *query) lookIn(t *test, field []byte) bool {
	value := fieldValue(field, t.field)
	q.hay.begin()
	q.hay.add(&t.needle)
	if t.list {
		q.hay.feed(q.value.list(value))
	} else {
		q.hay.feed(q.value.decode(value))
	}
	q.hay.end()
	return t.needle.found
}

// learnHeader looks for needles in fields that are not kept.
func (q *query) learnHeader() error {
	r, err := q.content.headerRange()
	if err != nil {
		return err
	}
	err = q.fields(q.content.section(r), func(field []byte, first bool) bool {
		if !first {
			q.hay.feed(q.value.decode(field))
			return true
		}
		q.hay.end()
		q.hay.begin()
		value := field
		for _, t := range q.looking[stageHeader] {
			if !t.needle.found && isNamed(field, t.field) {
				value = fieldValue(field, t.field)
				q.hay.add(&t.needle)
			}
		}
		q.hay.feed(q.value.decode(value))
		return true
	})
	q.hay.end()
	return err
}

// lookInHeader looks into a header, field by field.
func (q *query) lookInHeader(r message.Range, inner bool) (done bool, err error) {
	if !q.beginText(!inner) {
		return false, nil
	}
	err = q.fields(q.content.section(r), func(field []byte, first bool) bool {
		if first {
			if done = q.endText(); done || !q.beginText(!inner) {
				return false
			}
		}
		done = q.feedText(q.value.decode(field))
		return !done
	})
	return done || q.endText(), err
}
