package main

import (
	"strings"

	"rohrpost/scripts/interop/corpus"
)

// odd are messages whose answers are easily wrong, beside the kinds of the corpus.
var odd = []corpus.Message{
	mail("group of addresses", "To: A Group:a@example.org,\"B, C\" <b@example.org>;\nCc: Undisclosed recipients:;\n"),
	mail("comments and quotes", "From: \"Joe \\\"Q\\\" Public\" <joe@example.org> (a comment)\nSender: x@example.org (Name in Comment)\n"),
	mail("no From, no Date", "Subject: none\n"),
	mail("reply", "Date: Tue, 3 Jan 2006 10:00:00 +0100\nMessage-ID: <r1@x>\nSubject: Re: plain\nIn-Reply-To: <0.both@client.example.org>\n"),
	mail("reply to the reply", "Date: Tue, 3 Jan 2006 11:00:00 +0100\nMessage-ID: <r2@x>\nSubject: RE: re[2]: plain (fwd)\nReferences: <0.both@client.example.org> <r1@x>\n"),
	mail("lost parent", "Date: Tue, 3 Jan 2006 12:00:00 +0100\nMessage-ID: <r3@x>\nSubject: orphan\nReferences: <nobody@x> <r9@x>\n"),
	mail("second orphan", "Date: Tue, 3 Jan 2006 13:00:00 +0100\nMessage-ID: <r4@x>\nSubject: Re: orphan\nReferences: <nobody@x> <r9@x>\n"),
	mail("dates in old forms", "Date: 3 Jan 06 23:59:59 EST\nSubject: old date\n"),
	mail("koi8", "Subject: =?koi8-r?B?8NLJ18XU?=\nDate: Wed, 4 Jan 2006 00:00:00 -1200\n"),
	mail("iso-2022-jp", "Subject: =?iso-2022-jp?B?GyRCRnxLXBsoQg==?=\nFrom: =?iso-8859-1?Q?J=F6rg?= <j@example.org>\n"),
	mail("blob and subject prefixes", "Subject: [list] Re: [list] fwd: plain\nDate: Thu, 5 Jan 2006 00:00:00 +0000\n"),
	mail("two subjects", "Subject: first\nSubject: second\n"),
	mail("parameters of RFC 2231", "MIME-Version: 1.0\nContent-Type: application/x-odd;\n name*0*=utf-8''%C3%BC; name*1=\"b.txt\"\nContent-Disposition: attachment; filename*=utf-8'en'%C3%BC\nContent-Language: de, en\nContent-Location: http://example.org/\nContent-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\nContent-ID: <id@x>\nContent-Description: odd\n"),
	mail("nested", "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\nplain\n--b\nContent-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n<p>h=C3=BC</p>\n--b--\n--a\nContent-Type: message/rfc822\n\nSubject: inner\nFrom: in@example.org\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\nfirst inside\n--c\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\nAAEC\n--c--\n--a--\n"),
	mail("digest", "MIME-Version: 1.0\nContent-Type: multipart/digest; boundary=d\n\n--d\n\nSubject: one\n\nfirst\n--d\n\nSubject: two\n\nsecond\n--d--\n"),
	mail("unended multipart", "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=e\n\n--e\n\nfirst\n--e\nContent-Type: text/html\n\nlast"),
	mail("uuencoded", "MIME-Version: 1.0\nContent-Transfer-Encoding: x-uuencode\nContent-Type: text/plain\n"),
}

// mail is a message with these header lines; if there is no blank line in them, with a
// body of its own.
func mail(name, head string) corpus.Message {
	text := head
	if !strings.Contains(head, "\n\n") {
		text += "\nbody of " + name + "\n"
	}
	return corpus.Message{Name: name, Text: []byte(text)}
}
