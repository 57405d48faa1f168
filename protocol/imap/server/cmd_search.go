package server

import (
	"errors"
	"slices"

	"rohrpost/maildir"
	"rohrpost/protocol/imap"
	"rohrpost/protocol/message"
)

// search is SEARCH and UID SEARCH (RFC 9051 section 6.4.4).
func (s *Session) search(c imap.Command) (reply, error) {
	args, err := imap.ParseSearch(s.d)
	if err != nil {
		return reply{}, err
	}
	// RFC 9051 section 6.4.4: rev2 has no SEARCH response.
	if s.enabled.rev2 && !args.Extended {
		args.Extended, args.Return = true, imap.ReturnAll
	}
	q, r := s.prepare(c, &args)
	if q == nil {
		return r, nil
	}
	var positions []int
	if ends := args.Return & (imap.ReturnMin | imap.ReturnMax); ends != 0 && args.Return&^ends&^imap.ReturnSave == 0 {
		positions = q.ends(ends)
	} else {
		positions = q.everything()
	}
	s.answerSearch(c, &args, q, positions)
	return q.reply(c), nil
}

// prepare makes the search of a command ready. Without a query the reply is the
// command's answer.
func (s *Session) prepare(c imap.Command, args *imap.Search) (*query, reply) {
	q, err := s.newQuery(args)
	switch {
	case errors.Is(err, message.ErrCharset):
		if args.Return&imap.ReturnSave != 0 {
			s.box.saved = imap.NumSet{} // RFC 5182 section 2.1: so does NO
		}
		return nil, no(imap.BadCharsetCode([]string{"US-ASCII", "UTF-8"}), c.Name+" does not know this charset, or the text is not in it")
	case err != nil:
		return nil, bad(err.Error())
	}
	// RFC 7162 section 3.1: MODSEQ in a search switches CONDSTORE on.
	if q.tellsModSeq {
		s.enableCondstore()
	}
	s.numbered = byNumber(args.Key)
	s.bulk = s.bulk || s.box.exists > bulky
	return q, reply{}
}

// byNumber reports whether a search names messages by sequence numbers.
func byNumber(k imap.SearchKey) bool {
	return k.Op == imap.SearchSeq || slices.ContainsFunc(k.Keys, byNumber)
}

// charsetOf is the charset to convert a command's texts from, "" if there is no need.
func charsetOf(name string) string {
	if name == "" || isUTF8([]byte(name)) {
		return ""
	}
	return name
}

// everything is the positions of all messages found.
func (q *query) everything() (positions []int) {
	from, to := q.bounds()
	for pos := from; pos < to; pos++ {
		if q.finds(pos) {
			positions = append(positions, pos)
		}
	}
	q.content.close()
	return positions
}

// ends is the positions of the first message found, of the last, or of both. What is
// between is not looked at.
func (q *query) ends(which imap.SearchReturn) (positions []int) {
	defer q.content.close()
	from, to := q.bounds()
	if which&imap.ReturnMin != 0 {
		for from < to && !q.finds(from) {
			from++
		}
		if from >= to {
			return nil
		}
		positions = append(positions, from)
		from++
	}
	if which&imap.ReturnMax != 0 {
		for from < to && !q.finds(to-1) {
			to--
		}
		if from < to {
			positions = append(positions, to-1)
		}
	}
	return positions
}

// finds is matches, with errors put aside. A message whose file is gone is found by no
// search: the client will hear that it is gone.
func (q *query) finds(pos int) bool {
	ok, err := q.matches(pos)
	q.note(err)
	return ok
}

// note keeps the first error that is one.
func (q *query) note(err error) {
	if err != nil && q.failure == nil && !errors.Is(err, maildir.ErrGone) {
		q.failure = err
	}
}

// reply ends the command. If some messages could not be read, what was found among the
// others has been told.
func (q *query) reply(c imap.Command) reply {
	if q.failure != nil {
		return q.s.failed(c.Name, q.failure)
	}
	return ok("that is all")
}

// answerSearch writes SEARCH or ESEARCH, and saves the result if that is asked for.
func (s *Session) answerSearch(c imap.Command, args *imap.Search, q *query, positions []int) {
	encoder := s.w
	if !args.Extended {
		encoder.Numbers("SEARCH", s.each(positions, c.UID), q.modSeqOf(positions))
		return
	}
	answer := q.answerOf(c, args, positions)
	answer.All = s.numbers(positions, c.UID)
	if args.Return&imap.ReturnPartial != 0 {
		from, to := args.Page.Of(int64(len(positions)))
		answer.All = s.numbers(positions[from:to], c.UID)
	}
	if args.Return != imap.ReturnSave { // RFC 5182 section 2.1: alone it is silent
		s.w.ESearch(answer)
	}
	s.save(args, q, positions)
}

// answerOf is the ESEARCH response but for what is found.
func (q *query) answerOf(c imap.Command, args *imap.Search, positions []int) imap.ESearch {
	answer := imap.ESearch{
		Tag: c.Tag, UID: c.UID, Return: args.Return, Page: args.Page,
		Count: int64(len(positions)), ModSeq: q.modSeqOf(returned(args, positions)),
	}
	if len(positions) > 0 {
		answer.Min = q.s.number(positions[0], c.UID)
		answer.Max = q.s.number(positions[len(positions)-1], c.UID)
	}
	return answer
}

// returned is which of the messages found are told: all if ALL, COUNT or nothing but
// SAVE is asked for, else those at the ends and on the page (RFC 5182 section 2.4, RFC
// 9394 section 3.2).
func returned(args *imap.Search, positions []int) (told []int) {
	switch {
	case len(positions) == 0, args.Return&(imap.ReturnAll|imap.ReturnCount) != 0, args.Return&^imap.ReturnSave == 0:
		return positions
	case args.Return&imap.ReturnPartial != 0:
		from, to := args.Page.Of(int64(len(positions)))
		told = append(told, positions[from:to]...)
	}
	if args.Return&imap.ReturnMin != 0 {
		told = append(told, positions[0])
	}
	if args.Return&imap.ReturnMax != 0 {
		told = append(told, positions[len(positions)-1])
	}
	return told
}

// save makes the messages told the result that $ stands for (RFC 5182 section 2.4).
func (s *Session) save(args *imap.Search, q *query, positions []int) {
	if args.Return&imap.ReturnSave == 0 {
		return
	}
	s.box.saved = imap.NumSet{}
	if q.failure == nil {
		told := slices.Clone(returned(args, positions))
		slices.Sort(told)
		s.box.saved = s.box.uidSet(told)
	}
}

// modSeqOf is the highest MODSEQ of messages, 0 if it is not to be told (RFC 7162
// section 3.1.5).
func (q *query) modSeqOf(positions []int) int64 {
	if !q.tellsModSeq {
		return 0
	}
	var highest uint64
	for _, pos := range positions {
		highest = max(highest, q.s.box.At(pos).ModSeq)
	}
	return int64(highest)
}

// number is a message as the command names it.
func (s *Session) number(pos int, uid bool) uint32 {
	if uid {
		return uint32(s.box.UID(pos))
	}
	return uint32(pos + 1)
}

// each is messages as the command names them, in order.
func (s *Session) each(positions []int, uid bool) func(yield func(uint32) bool) {
	return func(yield func(uint32) bool) {
		for _, pos := range positions {
			if !yield(s.number(pos, uid)) {
				return
			}
		}
	}
}
