"""A session of Python's imaplib, which tells what it finds as script() in process.go
wants it: imaplib.py PORT USER PASSWORD DIR. Messages read go to DIR.
"""
import imaplib
import os
import re
import sys
import time

port, user, password, out = sys.argv[1:]


def check(what, got, want):
    print(f"ok {what}" if got == want else f"not ok {what}: {got!r}, should be {want!r}", flush=True)


def done(answer):
    """The data of a command that was answered OK."""
    status, data = answer
    assert status == "OK", answer
    return data


session = imaplib.IMAP4("127.0.0.1", int(port), timeout=30)
done(session.login(user, password))
names = sorted(re.sub(rb'^.* "\." ', b"", line) for line in done(session.list()))
check("lists the folders", names, [b"Archive", b"Entw&APw-rfe", b"INBOX"])
count = int(done(session.select())[0])

# Two literals in each answer; their sizes must be those of the messages.
for n in range(1, count + 1):
    answer = done(session.fetch(str(n), "(RFC822.SIZE BODY.PEEK[HEADER] BODY.PEEK[TEXT])"))
    head, text = answer[0][1], answer[1][1]
    size = int(re.search(rb"RFC822.SIZE (\d+)", answer[0][0])[1])
    if size != len(head) + len(text):
        check(f"finds the size of message {n} right", len(head) + len(text), size)
    with open(os.path.join(out, str(n)), "wb") as f:
        f.write(head + text)
check("can tell that nothing is seen yet", done(session.search(None, "SEEN")), [b""])

check("searches a header", done(session.search(None, "HEADER", "X-Tab", '"value"')), [b"11"])
check("searches in UTF-8", done(session.search("UTF-8", "SUBJECT", '"encoded"'))[0], b"")
session.literal = "grüße".encode()
check("searches by a literal, in any case", done(session.search("UTF-8", "TEXT")), [b"7 8 9 10"])
check("sorts by size", done(session.sort("(REVERSE SIZE)", "UTF-8", "LARGER 3000"))[0].split()[0], b"19")
check("threads", done(session.thread("ORDEREDSUBJECT", "UTF-8", "1:3")), [b"(1)(2)(3)"])

done(session.store("1", "+FLAGS.SILENT", r"(\Flagged \Seen)"))
check("hears of new flags", b"Answered" in done(session.store("1", "+FLAGS", r"\Answered"))[0], True)
done(session.uid("MOVE", "2", "Archive"))
done(session.create("Neu"))
done(session.copy("3", "Neu"))  # the fourth, when the second was there
done(session.uid("STORE", "3", "+FLAGS", r"\Deleted"))
check("expunges", done(session.expunge()), [b"2", b"2"])  # the first was heard of at MOVE
when = imaplib.Time2Internaldate(1136214245)
text = "From: <me@example.org>\r\nSubject: saved by imaplib\r\n\r\nsaved\r\n".encode()
done(session.append("Archive", r"(\Seen \Draft)", when, text))
done(session.select("Archive", readonly=True))
dates = done(session.fetch("2", "INTERNALDATE"))
check("keeps the date of APPEND", time.mktime(imaplib.Internaldate2tuple(dates[0])), 1136214245.0)
done(session.close())
done(session.select())
tag = session._new_tag()
session.send(tag + b" IDLE\r\n")
check("may idle", session.readline()[:1], b"+")
print("deliver comes while idle", flush=True)
line = session.readline()
while line.startswith(b"* OK"):
    line = session.readline()
check("hears of a delivery", line, b"* %d EXISTS\r\n" % (count - 1))
session.send(b"DONE\r\n")
while not line.startswith(tag):
    line = session.readline()
session.logout()
