package server

// mergeSubjects is step 5 of REFERENCES: threads with the same base subject become
// one.
func (t *threader) mergeSubjects() {
	m := subjectMerger{threader: t, messages: int32(len(t.positions)), table: map[uint64]int32{}}
	m.findRoots()
	m.fillTable()
	for _, root := range m.roots {
		if table, ok := m.table[m.subject(root)]; ok && table != root {
			m.merge(root, table)
		}
	}
	m.moveChildren()
}

// subjectMerger has what is needed for step 5.
type subjectMerger struct {
	*threader
	messages int32            // nodes below are messages, others are dummies
	roots    []int32          // in the order of their dates
	firsts   map[int32]int32  // the first children of dummies
	table    map[uint64]int32 // the root that stands for a subject
	merged   map[int32]int32  // dummies whose children have become those of others
}

func (m *subjectMerger) isDummy(node int32) bool { return node >= m.messages }

// findRoots is step 4: the nodes at the top by their dates, for a dummy that of its
// first child.
func (m *subjectMerger) findRoots() {
	m.firsts, m.merged = map[int32]int32{}, map[int32]int32{}
	for _, node := range m.byDate() {
		p := m.parents[node]
		if p == none {
			m.roots = append(m.roots, node)
		} else if _, known := m.firsts[p]; m.isDummy(p) && !known {
			m.firsts[p] = node
			m.roots = append(m.roots, p)
		}
	}
}

// subject is that of a thread, 0 if it is empty.
func (m *subjectMerger) subject(root int32) uint64 {
	if m.isDummy(root) {
		root = m.firsts[root]
	}
	return m.subjects[root]
}

func (m *subjectMerger) isReply(root int32) bool { return !m.isDummy(root) && m.replies[root] }

// fillTable is step 5.B.
func (m *subjectMerger) fillTable() {
	for _, root := range m.roots {
		subject := m.subject(root)
		if subject == 0 {
			continue
		}
		have, ok := m.table[subject]
		if !ok || !m.isDummy(have) && (m.isDummy(root) || m.isReply(have) && !m.isReply(root)) {
			m.table[subject] = root
		}
	}
}

// merge is step 5.C for a root and the one that its subject's table has.
func (m *subjectMerger) merge(root, table int32) {
	switch {
	case m.isDummy(root) && m.isDummy(table):
		m.merged[root] = table
	case m.isDummy(table), m.isReply(root) && !m.isReply(table):
		m.parents[root] = table
	default:
		dummy := int32(len(m.parents))
		m.parents = append(m.parents, none)
		m.parents[root], m.parents[table] = dummy, dummy
		m.table[m.subjects[root]] = dummy
	}
}

func (m *subjectMerger) moveChildren() {
	for node := range m.messages {
		if table, ok := m.merged[m.parents[node]]; ok {
			m.parents[node] = table
		}
	}
}
