"""Sends files by Python's smtplib, in one session.

send.py HOST:PORT FROM TO (data|bdat) USER PASSWORD FILE...
USER may be empty: no login then.
"""
import smtplib
import sys

addr, sender, to, how, user, password, *files = sys.argv[1:]
host, port = addr.rsplit(":", 1)


def bdat(session, text):
    """The message in two chunks, its bytes as they are (RFC 3030)."""
    half = len(text) // 2
    for chunk, last in ((text[:half], ""), (text[half:], " LAST")):
        session.send(b"BDAT %d%s\r\n" % (len(chunk), last.encode()) + chunk)
        code, reply = session.getreply()
        if code != 250:
            raise smtplib.SMTPDataError(code, reply)


with smtplib.SMTP(host, int(port), "client.example.org") as session:
    session.ehlo()
    if user:
        session.login(user, password)
    for name in files:
        with open(name, "rb") as f:
            text = f.read().replace(b"\n", b"\r\n")
        if how == "data":
            session.sendmail(sender, [to], text, ["BODY=8BITMIME"])
            continue
        session.mail(sender, ["BODY=8BITMIME"])
        session.rcpt(to)
        bdat(session, text)
