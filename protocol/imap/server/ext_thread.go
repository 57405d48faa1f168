package server

import (
	"cmp"
	"hash/maphash"
	"slices"

	"rohrpost/protocol/imap"
)

// thread is THREAD and UID THREAD (RFC 5256 section 3).
func (s *Session) thread(c imap.Command) (reply, error) {
	args, err := imap.ParseThread(s.d)
	if err != nil {
		return reply{}, err
	}
	algorithm, ok := threadings[args.Algorithm]
	if !ok {
		return bad("unknown threading algorithm"), nil
	}
	q, r := s.prepare(c, &args.Search)
	if q == nil {
		return r, nil
	}
	t := newThreader(q, algorithm)
	t.gather()
	t.answer(c.UID)
	return q.reply(c), nil
}

func newThreader(q *query, algorithm threading) *threader {
	return &threader{q: q, threading: algorithm, seed: maphash.MakeSeed(), nodes: map[uint64]int32{}}
}

// gather adds all messages found.
func (t *threader) gather() {
	q := t.q
	defer q.content.close()
	from, to := q.bounds()
	for pos := from; pos < to; pos++ {
		if q.finds(pos) {
			q.note(t.add())
		}
	}
}

// answer writes THREAD.
func (t *threader) answer(uid bool) {
	t.link(t)
	f := newForest(t.parents, t.byDate())
	w := t.q.s.w
	w.String("* THREAD")
	f.write(t.q.s, t.positions, uid)
	w.Line("")
}

// threading is a threading algorithm: how it finds parents, and whether by references.
type threading struct {
	link       func(*threader)
	references bool
}

var threadings = map[string]threading{
	"ORDEREDSUBJECT": {(*threader).linkBySubject, false},
	"REFERENCES":     {(*threader).linkByReferences, true},
}

// none is no node.
const none = int32(-1)

// threader finds out which messages belong together. Messages are nodes, 0 to n-1 in
// the order of their numbers. Dummies, which stand for messages that are not among
// them, are nodes from n on. Texts are known by their hashes, for which nobody can
// make two that are the same: their key is drawn anew each time.
type threader struct {
	threading
	q    *query
	seed maphash.Seed

	positions []int
	dates     []int64
	subjects  []uint64 // hashes of base subjects, 0 if that is empty
	replies   []bool   // the subject says that it is a reply or a forward
	nodes     map[uint64]int32
	refs      []uint64 // of all messages
	refsEnd   []int32  // where those of each end

	parents []int32 // of all nodes
}

// hash is never 0.
func (t *threader) hash(b []byte) uint64 { return maphash.Bytes(t.seed, b) | 1 }

// add adds the message that the query is at.
func (t *threader) add() error {
	blob, err := t.q.threadBlob()
	if err != nil {
		return err
	}
	date, err := t.q.dateIn(blob)
	if err != nil {
		return err
	}
	t.positions = append(t.positions, t.q.pos)
	t.dates = append(t.dates, date)
	t.addTexts(blob[8:])
	return nil
}

// threadFields are the fields that a blob of kindThread is made of.
var threadFields = []string{"Date", "Subject", "Message-ID", "References", "In-Reply-To"}

// threadBlob is the blob of kindThread of the message that the query is at.
func (q *query) threadBlob() ([]byte, error) {
	return q.learn(kindThread, threadFields, (*query).appendThreadTexts)
}

// appendThreadTexts appends the texts of a blob of kindThread: "R" if the subject says
// that the message is a reply or a forward, else nothing; the base subject; the
// message identifier; those of the messages that it refers to.
func (q *query) appendThreadTexts(b []byte) []byte {
	values := &q.derived.values
	subject, reply := q.baseSubject(values[1])
	if reply {
		b = appendText(b, []byte("R"))
	} else {
		b = appendText(b, nil)
	}
	b = q.appendFolded(b, subject, maxSortText)
	return q.appendReferences(b, values[2], values[3], values[4])
}

// addTexts adds the texts of a message's blob.
func (t *threader) addTexts(b []byte) {
	reply, b := cutText(b)
	subject, b := cutText(b)
	h := uint64(0)
	if len(subject) > 0 {
		h = t.hash(subject)
	}
	t.subjects, t.replies = append(t.subjects, h), append(t.replies, len(reply) > 0)
	if t.references {
		t.addReferences(b)
	}
}

// byDate is the messages in the order of their dates (RFC 5256 section 2.2).
func (t *threader) byDate() []int32 {
	order := make([]int32, len(t.positions))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(t.dates[a], t.dates[b]), cmp.Compare(a, b))
	})
	return order
}

// linkBySubject is ORDEREDSUBJECT: the first message of those with one base subject is
// the parent of the others.
func (t *threader) linkBySubject() {
	t.parents = make([]int32, len(t.positions))
	first := map[uint64]int32{}
	for _, node := range t.byDate() {
		root, ok := first[t.subjects[node]]
		if !ok {
			first[t.subjects[node]] = node
			root = none
		}
		t.parents[node] = root
	}
}
