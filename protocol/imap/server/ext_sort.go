package server

import "rohrpost/protocol/imap"

// sort is SORT and UID SORT (RFC 5256 section 3), with the criteria of RFC 5957 and the
// return options of RFC 5267 section 3.
func (s *Session) sort(c imap.Command) (reply, error) {
	args, err := imap.ParseSort(s.d)
	if err != nil {
		return reply{}, err
	}
	q, r := s.prepare(c, &args.Search)
	if q == nil {
		return r, nil
	}
	s.answerSort(c, &args.Search, q, q.sort(args.Criteria))
	return q.reply(c), nil
}

// sort is the positions of all messages found, in the order of the criteria.
func (q *query) sort(criteria []imap.SortCriterion) []int {
	defer q.content.close()
	from, to := q.bounds()
	sorter := newSorter(q, criteria, to-from)
	for pos := from; pos < to; pos++ {
		if q.finds(pos) {
			q.note(sorter.add())
		}
	}
	return sorter.sorted()
}

// answerSort writes SORT, or ESEARCH with the messages in their order.
func (s *Session) answerSort(c imap.Command, args *imap.Search, q *query, positions []int) {
	encoder := s.w
	if !args.Extended {
		encoder.Numbers("SORT", s.each(positions, c.UID), q.modSeqOf(positions))
		return
	}
	answer := q.answerOf(c, args, positions)
	page := positions
	if args.Return&imap.ReturnPartial != 0 {
		from, to := args.Page.Of(int64(len(positions)))
		page = positions[from:to]
	}
	for n := range s.each(page, c.UID) {
		answer.Order = append(answer.Order, n)
	}
	if args.Return != imap.ReturnSave {
		s.w.ESearch(answer)
	}
	s.save(args, q, positions)
}
