package index

import (
	"encoding/binary"
	"hash/crc32"
	"io"

	"rohrpost/maildir"
)

// writeBuffer is how much of the file is gathered for one write, in bytes.
const writeBuffer = 64 << 10

// writeSizes makes rohrpost.sizes of m anew, by rename and without a sync. That it
// fails does no harm.
func writeSizes(m *maildir.Maildir, c *count) {
	m.Replace(sizesName, func(w io.Writer) error { return c.write(w) })
}

// write writes the file.
func (c *count) write(w io.Writer) error {
	n := c.list.Len()
	table := make([]uint64, 0, blocksFor(n)+1)
	b := c.appendHeader(make([]byte, 0, writeBuffer+blockMax))
	seed := binary.LittleEndian.Uint32(b[sizesHeader-4:])
	written := 0
	flush := func() error {
		_, err := w.Write(b)
		written += len(b)
		b = b[:0]
		return err
	}
	for first := 0; first < n; first += blockMessages {
		table = append(table, uint64(written+len(b)))
		b = c.appendBlock(b, first, min(first+blockMessages, n), seed)
		if len(b) > writeBuffer {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	table = append(table, uint64(written+len(b)))
	for _, at := range table {
		b = binary.LittleEndian.AppendUint64(b, at)
	}
	return flush()
}

func (c *count) appendHeader(b []byte) []byte {
	n := c.list.Len()
	blocks := blocksFor(n)
	length := sizesHeader + int64(n)*entryBytes + 4*int64(blocks) + 8*int64(blocks+1)
	for i := range n {
		length += int64(c.list.NameLen(i))
	}
	var stamp maildir.Stamp
	if c.certain() {
		stamp = c.list.Stamp
	}
	b = append(b, sizesMagic...)
	for _, n := range []int64{int64(n), c.octets, length} {
		b = binary.LittleEndian.AppendUint64(b, uint64(n))
	}
	b = appendStamp(b, stamp)
	b = append(b, make([]byte, sizesHeader-len(b))...)
	seal(b)
	return b
}

// appendBlock appends the block of messages first to end.
func (c *count) appendBlock(b []byte, first, end int, seed uint32) []byte {
	le := binary.LittleEndian
	start, names := len(b), 0
	for i := first; i < end; i++ {
		wire := c.list.WireSize(i)
		if c.gone[uint32(i)] {
			wire = -1
		}
		names += c.list.NameLen(i)
		b = le.AppendUint64(b, c.list.Inode(i))
		b = le.AppendUint64(b, uint64(wire))
		b = le.AppendUint16(b, uint16(names))
		b = append(b, byte(len(c.list.Base(i))), 0)
		if c.list.InNew(i) {
			b[len(b)-1] = 1
		}
	}
	for i := first; i < end; i++ {
		b = append(b, c.list.FileName(i)...)
	}
	return le.AppendUint32(b, crc32.Update(seed^uint32(first/blockMessages), castagnoli, b[start:]))
}
