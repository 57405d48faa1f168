"""Reads a mailbox by Python's poplib: each message into a file of DIR.

read.py HOST:PORT USER PASSWORD DIR (keep|delete) UNENDED
Checks on the way that the sizes in STAT and LIST are those of the messages and
that the unique ids are unique. UNENDED messages have a last line without an
end, which POP3 has to add and which their size does not count.
"""
import os
import poplib
import sys

addr, user, password, out, after, unended = sys.argv[1:]
host, port = addr.rsplit(":", 1)
session = poplib.POP3(host, int(port))
session.user(user)
session.pass_(password)
count, octets = session.stat()
sizes = {int(n): int(size) for n, size in (line.split() for line in session.list()[1])}
ids = [line.split()[1] for line in session.uidl()[1]]
assert len(sizes) == len(ids) == len(set(ids)) == count, "LIST, UIDL and STAT disagree on the number"
assert sum(sizes.values()) == octets, "LIST and STAT disagree on the octets"
added = 0
for n in range(1, count + 1):
    lines = session.retr(n)[1]
    size = sum(len(line) + 2 for line in lines)
    added += size == sizes[n] + 2
    assert size - sizes[n] in (0, 2), f"message {n} has {size} octets, LIST says {sizes[n]}"
    head = session.top(n, 0)[1]
    assert lines[: len(head)] == head, f"TOP {n} 0 is not the head of RETR {n}"
    with open(os.path.join(out, str(n)), "wb") as f:
        f.write(b"".join(line + b"\n" for line in lines))
    if after == "delete":
        session.dele(n)
session.quit()
assert added == int(unended), f"{added} messages are longer by a line end than LIST says"
