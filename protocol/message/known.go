package message

import "bytes"

// Known is a header field that a Scanner keeps the value of.
type Known uint8

const (
	ContentType Known = iota
	ContentTransferEncoding
	ContentID
	ContentDescription
	ContentDisposition
	ContentLanguage
	ContentLocation
	ContentMD5

	Date
	Subject
	From
	Sender
	ReplyTo
	To
	Cc
	Bcc
	InReplyTo
	MessageID
	References

	mimeFields     = Date
	envelopeFields = References + 1 - mimeFields
)

var knownNames = [...]string{
	ContentType:             "Content-Type",
	ContentTransferEncoding: "Content-Transfer-Encoding",
	ContentID:               "Content-ID",
	ContentDescription:      "Content-Description",
	ContentDisposition:      "Content-Disposition",
	ContentLanguage:         "Content-Language",
	ContentLocation:         "Content-Location",
	ContentMD5:              "Content-MD5",
	Date:                    "Date",
	Subject:                 "Subject",
	From:                    "From",
	Sender:                  "Sender",
	ReplyTo:                 "Reply-To",
	To:                      "To",
	Cc:                      "Cc",
	Bcc:                     "Bcc",
	InReplyTo:               "In-Reply-To",
	MessageID:               "Message-ID",
	References:              "References",
}

// String returns the name as RFC 5322 and RFC 2045 write it.
func (k Known) String() string { return knownNames[k] }

// known finds a field by its name in any case.
func known(name []byte) (Known, bool) {
	for k, n := range knownNames {
		if len(n) == len(name) && bytes.EqualFold(name, []byte(n)) {
			return Known(k), true
		}
	}
	return 0, false
}
