package message

// Specifier says what of a part a section is (RFC 9051 section 6.4.5.1).
type Specifier uint8

const (
	Whole  Specifier = iota // the message, or the body of a part: BODY[], BODY[2.1]
	HEADER                  // the header of a message: also for HEADER.FIELDS, with a FieldReader
	TEXT                    // the body of a message
	MIME                    // the header of a part
)

// Section returns where a section lies in the stored message. The path is that
// of section-part, its numbers from 1; without one the section is of the message
// itself. It reports false for what the message does not have: a part beyond the
// last, HEADER or TEXT of a part that is no message, MIME without a path.
//
// Part 1 of a message that is no multipart is its body, and the header of that
// part the message's.
func (t *Tree) Section(path []uint32, what Specifier) (Range, bool) {
	if len(path) == 0 {
		switch what {
		case Whole:
			return t.Size(), true
		case MIME:
			return Range{}, false
		}
		return t.headerOrBody(0, what), true
	}
	part, ok := t.Part(path)
	if !ok {
		return Range{}, false
	}
	if what == HEADER || what == TEXT {
		if t.Parts[part].Kind != Message {
			return Range{}, false
		}
		part = int(t.Parts[part].FirstChild)
	}
	return t.headerOrBody(part, what), true
}

func (t *Tree) headerOrBody(part int, what Specifier) Range {
	if what == HEADER || what == MIME {
		return t.Parts[part].Header
	}
	return t.Parts[part].Body
}

// Part returns the index of the part with this path, which must not be empty.
func (t *Tree) Part(path []uint32) (part int, ok bool) {
	numbers := 0 // the part whose body holds the parts that the next number counts
	for _, n := range path {
		if numbers < 0 {
			return 0, false
		}
		if part = t.child(numbers, n); part < 0 {
			return 0, false
		}
		switch p := &t.Parts[part]; p.Kind {
		case Message:
			numbers = int(p.FirstChild)
		case Multipart:
			numbers = part
		default:
			numbers = -1
		}
	}
	return part, len(path) > 0
}

// child returns part n of a multipart, or of a message that is none, where only
// part 1 exists and is the message itself. It returns -1 if there is no such
// part.
func (t *Tree) child(part int, n uint32) int {
	if t.Parts[part].Kind != Multipart {
		if n == 1 {
			return part
		}
		return -1
	}
	i := t.Parts[part].FirstChild
	for ; n > 1 && i >= 0; n-- {
		i = t.Parts[i].Next
	}
	if n == 0 {
		return -1
	}
	return int(i)
}
