package server

import (
	"bytes"
	"errors"

	"rohrpost/maildir"
	"rohrpost/maildir/mailbox"
	"rohrpost/protocol/imap"
	"rohrpost/protocol/message"
)

// fetch is FETCH and UID FETCH (RFC 9051 section 6.4.5).
func (s *Session) fetch(c imap.Command) (reply, error) {
	args, err := imap.ParseFetch(s.d, c.UID)
	if err != nil {
		return reply{}, err
	}
	if args.Atts&notOffered != 0 || args.Page != (imap.Page{}) {
		return bad("an item that is not offered"), nil
	}
	if args.Vanished && !s.enabled.qresync {
		return bad("QRESYNC has not been enabled"), nil // RFC 7162 section 3.2.6
	}
	positions, err := s.positions(args.Set, c.UID)
	if err != nil {
		return reply{}, err
	}
	s.impliedCondstore(&args)
	positions = s.changedSince(positions, args.ChangedSince)
	if args.Vanished {
		s.tellVanished(uint64(args.ChangedSince), &args.Set)
	}
	seen := s.markSeen(positions, args)
	f := newFetcher(s, args)
	return f.all(positions, seen)
}

// notOffered is what the parser knows and no capability of ours announces.
const notOffered = imap.FetchEmailID | imap.FetchThreadID | imap.FetchSaveDate | imap.FetchPreview | imap.FetchPreviewLazy

// impliedCondstore switches CONDSTORE on where FETCH does. RFC 7162 section 3.1.4.1:
// CHANGEDSINCE asks for MODSEQ.
func (s *Session) impliedCondstore(args *imap.Fetch) {
	if args.ChangedSince > 0 {
		args.Atts |= imap.FetchModSeq
	}
	if args.Atts&imap.FetchModSeq != 0 {
		s.enableCondstore()
	}
}

// changedSince leaves of positions those whose MODSEQ is above since.
func (s *Session) changedSince(positions []int, since int64) []int {
	if since == 0 {
		return positions
	}
	kept := positions[:0]
	for _, pos := range positions {
		if s.box.At(pos).ModSeq > uint64(since) {
			kept = append(kept, pos)
		}
	}
	return kept
}

// markSeen sets \Seen where a section is asked for without PEEK, of all messages at
// once. It returns those whose flags have changed, which are told with the rest.
func (s *Session) markSeen(positions []int, args imap.Fetch) []int {
	if s.box.readOnly || !marksSeen(args.Sections) {
		return nil
	}
	done, err := s.box.Store(positions, mailbox.Store{Add: maildir.Seen})
	if err != nil {
		s.failed("FETCH", err)
	}
	s.noteStored(done)
	return done.Changed
}

func marksSeen(sections []imap.FetchSection) bool {
	for _, f := range sections {
		if !f.Peek && f.Kind != imap.KindBinarySize {
			return true
		}
	}
	return false
}

// flushAbove is how many bytes of answers gather before they are written.
const flushAbove = 32 << 10

// fetcher answers one FETCH. It holds what is worth keeping from message to message.
type fetcher struct {
	s    *Session
	args imap.Fetch
	// plain says that the index alone has all that is asked for.
	plain bool

	m       mailbox.Message
	pos     int
	content content // of this message
	items   []byte  // what prepare has found out
	fields  []byte  // room for sendKept
	octets  bytes.Reader
	sets    []message.FieldSet // of the sections that name fields
	kept    []bool             // sections for which kindFields has all
	flags   []flagText
}

func newFetcher(s *Session, args imap.Fetch) *fetcher {
	const indexed = imap.FetchUID | imap.FetchFlags | imap.FetchModSeq
	f := &fetcher{s: s, args: args, plain: args.Atts&^indexed == 0 && len(args.Sections) == 0, content: content{s: s}}
	for i := range args.Sections {
		f.sets = append(f.sets, message.NewFieldSet(args.Sections[i].Section.Fields...))
		f.kept = append(f.kept, isKept(&args.Sections[i]))
	}
	return f
}

// all answers for each message. Messages that turn out to be gone are left out, and
// the client is told that some were (RFC 2180 section 4.1.2, RFC 5530).
func (f *fetcher) all(positions, seen []int) (reply, error) {
	s := f.s
	r := ok("that is all")
	for _, pos := range positions {
		flags := len(seen) > 0 && seen[0] == pos
		if flags {
			seen = seen[1:]
		}
		err := f.one(pos, flags)
		switch {
		case errors.Is(err, errCut):
			return reply{}, err
		case errors.Is(err, maildir.ErrGone):
			r = no(imap.CodeExpungeIssued, "some of the messages are gone")
		case err != nil:
			r = s.failed("FETCH", err)
		}
		if s.w.Buffered() > flushAbove {
			if err := s.w.Flush(); err != nil {
				return reply{}, err
			}
		}
	}
	return r, nil
}

// errCut is a message that changed while it was sent: nothing that follows would be
// understood (invariant 6).
var errCut = errors.New("message changed while it was sent")

// one answers for one message. Nothing is written if the error is not errCut.
func (f *fetcher) one(pos int, flags bool) error {
	f.pos, f.m = pos, f.s.box.At(pos)
	atts := f.args.Atts
	if flags {
		atts |= imap.FetchFlags
	}
	if f.s.enabled.condstore && atts&imap.FetchFlags != 0 && f.s.enabled.qresync {
		atts |= imap.FetchModSeq // RFC 7162 section 3.2.4
	}
	if f.m.Gone {
		return maildir.ErrGone
	}
	if f.plain {
		f.s.w.Extend(func(b []byte) []byte { return imap.AppendFetchEnd(f.appendIndexed(b, atts)) })
		return nil
	}
	f.content.reset(pos)
	defer f.content.close()
	if err := f.prepare(atts); err != nil {
		return err
	}
	f.s.w.Extend(func(b []byte) []byte {
		b = append(f.appendIndexed(b, atts), f.items...)
		if len(f.args.Sections) == 0 {
			return imap.AppendFetchEnd(b)
		}
		return b
	})
	if err := f.sections(); err != nil {
		f.s.Log("failed", "user", f.s.User, "cmd", "FETCH", "err", err)
		return errCut // the response has begun
	}
	return nil
}

// appendIndexed begins the response, with what needs nothing but the index in memory.
func (f *fetcher) appendIndexed(b []byte, atts imap.FetchAtt) []byte {
	b = imap.AppendFetch(b, imap.SeqNum(f.pos+1))
	if atts&imap.FetchUID != 0 {
		b = imap.AppendFetchUID(b, imap.UID(f.m.UID))
	}
	if atts&imap.FetchFlags != 0 {
		b = f.appendFlags(b)
	}
	if atts&imap.FetchModSeq != 0 {
		b = imap.AppendFetchModSeq(b, int64(f.m.ModSeq))
	}
	return b
}

// flagText is FLAGS as it is sent for a message that has these flags.
type flagText struct {
	flags  maildir.Flags
	recent bool
	text   []byte
}

// maxFlagTexts is how many of them are kept: most messages have one of a few sets.
const maxFlagTexts = 16

// appendFlags appends FLAGS.
func (f *fetcher) appendFlags(b []byte) []byte {
	for i := range f.flags {
		if t := &f.flags[i]; t.flags == f.m.Flags && t.recent == f.m.Recent {
			return append(b, t.text...)
		}
	}
	n := len(b)
	b = imap.AppendFetchFlags(b, f.s.flagList(f.m.Flags, f.m.Recent))
	if len(f.flags) < maxFlagTexts {
		f.flags = append(f.flags, flagText{f.m.Flags, f.m.Recent, bytes.Clone(b[n:])})
	}
	return b
}

// item is a data item that may need the message's file. It leaves a space behind
// itself, as those of package imap do.
type item struct {
	att    imap.FetchAtt
	append func(f *fetcher, b []byte) ([]byte, error)
}

// fetchItems are the data items that are more than a look into the index. A FETCH
// extension of this kind is one row.
var fetchItems = [...]item{
	{imap.FetchInternalDate, (*fetcher).internalDate},
	{imap.FetchSize, (*fetcher).size},
	{imap.FetchEnvelope, (*fetcher).envelope},
	{imap.FetchBody, (*fetcher).body},
	{imap.FetchBodyStructure, (*fetcher).bodyStructure},
}

// prepare finds out all items and opens what the sections need, before anything of
// the answer is written.
func (f *fetcher) prepare(atts imap.FetchAtt) (err error) {
	f.items = f.items[:0]
	for i := range fetchItems {
		if atts&fetchItems[i].att == 0 {
			continue
		}
		if f.items, err = fetchItems[i].append(f, f.items); err != nil {
			return err
		}
	}
	return f.ready()
}

// ready makes sure that the sections can be sent: the file is there, and BINARY knows
// the encodings.
func (f *fetcher) ready() error {
	for i := range f.args.Sections {
		x := &f.args.Sections[i]
		if f.kept[i] {
			if _, err := f.content.kept(); err != nil {
				return err
			}
			continue
		}
		if _, _, err := f.content.locate(x.Section); err != nil {
			return err
		}
		if x.Kind == imap.KindBinary || x.Kind == imap.KindBinarySize {
			if f.content.encoding(x.Section) == message.Unknown {
				return errUnknownCTE
			}
		}
	}
	return nil
}

// errUnknownCTE is a transfer encoding that BINARY cannot take off (RFC 3516 section
// 4.3).
var errUnknownCTE = errors.New("unknown content transfer encoding")

func (f *fetcher) internalDate(b []byte) ([]byte, error) {
	t, err := f.s.box.InternalDate(f.pos)
	return imap.AppendFetchDate(b, t.UTC()), err
}

func (f *fetcher) size(b []byte) ([]byte, error) {
	n, err := f.s.box.WireSize(f.pos)
	return imap.AppendFetchSize(b, max(n, 0)), err
}

func (f *fetcher) envelope(b []byte) ([]byte, error) {
	atts := f.args.Atts
	b, err := f.content.appendEnvelope(append(b, "ENVELOPE "...), atts&(imap.FetchBody|imap.FetchBodyStructure) != 0, atts&imap.FetchBodyStructure != 0)
	return append(b, ' '), err
}

func (f *fetcher) body(b []byte) ([]byte, error) {
	b, err := f.content.appendStructure(append(b, "BODY "...), false)
	return append(b, ' '), err
}

func (f *fetcher) bodyStructure(b []byte) ([]byte, error) {
	b, err := f.content.appendStructure(append(b, "BODYSTRUCTURE "...), true)
	return append(b, ' '), err
}
