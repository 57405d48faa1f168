package imap

import "strings"

// Code is a response code (RFC 9051 section 7.1) without its brackets, with its
// arguments. The constants have none; the functions below make those that do.
type Code string

// The response codes without arguments that a server here may give, by their RFC.
const (
	CodeAlert       Code = "ALERT" // RFC 9051 section 7.1
	CodeParse       Code = "PARSE"
	CodeReadOnly    Code = "READ-ONLY"
	CodeReadWrite   Code = "READ-WRITE"
	CodeTryCreate   Code = "TRYCREATE"
	CodeUnknownCTE  Code = "UNKNOWN-CTE"
	CodeHasChildren Code = "HASCHILDREN"

	CodeUnavailable          Code = "UNAVAILABLE" // RFC 5530 section 3
	CodeAuthenticationFailed Code = "AUTHENTICATIONFAILED"
	CodeAuthorizationFailed  Code = "AUTHORIZATIONFAILED"
	CodeExpired              Code = "EXPIRED"
	CodePrivacyRequired      Code = "PRIVACYREQUIRED"
	CodeContactAdmin         Code = "CONTACTADMIN"
	CodeNoPerm               Code = "NOPERM"
	CodeInUse                Code = "INUSE"
	CodeExpungeIssued        Code = "EXPUNGEISSUED"
	CodeCorruption           Code = "CORRUPTION"
	CodeServerBug            Code = "SERVERBUG"
	CodeClientBug            Code = "CLIENTBUG"
	CodeCannot               Code = "CANNOT"
	CodeLimit                Code = "LIMIT"
	CodeOverQuota            Code = "OVERQUOTA"
	CodeAlreadyExists        Code = "ALREADYEXISTS"
	CodeNonExistent          Code = "NONEXISTENT"

	CodeUIDNotSticky      Code = "UIDNOTSTICKY"      // RFC 4315 section 3
	CodeTooBig            Code = "TOOBIG"            // RFC 4469 section 4.2
	CodeCompressionActive Code = "COMPRESSIONACTIVE" // RFC 4978 section 3
	CodeNotSaved          Code = "NOTSAVED"          // RFC 5182 section 2.1
	CodeUseAttr           Code = "USEATTR"           // RFC 6154 section 3
	CodeClosed            Code = "CLOSED"            // RFC 7162 section 3.2.11
	CodeNoModSeq          Code = "NOMODSEQ"          // RFC 7162 section 3.1.2.2
)

func numberCode(name string, n uint64) Code {
	return Code(AppendNumber(append([]byte(name), ' '), n))
}

// UIDNextCode is UIDNEXT.
func UIDNextCode(next UID) Code { return numberCode("UIDNEXT", uint64(next)) }

// UIDValidityCode is UIDVALIDITY.
func UIDValidityCode(validity uint32) Code { return numberCode("UIDVALIDITY", uint64(validity)) }

// UnseenCode is UNSEEN, of rev1: the first message without \Seen.
func UnseenCode(first SeqNum) Code { return numberCode("UNSEEN", uint64(first)) }

// HighestModSeqCode is HIGHESTMODSEQ (RFC 7162 section 3.1.2.1).
func HighestModSeqCode(modSeq int64) Code { return numberCode("HIGHESTMODSEQ", uint64(modSeq)) }

// ModifiedCode is MODIFIED (RFC 7162 section 3.1.3): the messages that a STORE with
// UNCHANGEDSINCE left alone.
func ModifiedCode(set NumSet) Code { return Code(set.Append([]byte("MODIFIED "))) }

// AppendUIDCode is APPENDUID (RFC 4315 section 3), with the UIDs in the order of the
// messages.
func AppendUIDCode[U ~uint32](validity uint32, uids []U) Code {
	return Code(appendUIDs([]byte(numberCode("APPENDUID", uint64(validity))), uids))
}

// CopyUIDCode is COPYUID (RFC 4315 section 3): from[i] has become to[i], in whatever
// order.
func CopyUIDCode[U ~uint32](validity uint32, from, to []U) Code {
	b := []byte(numberCode("COPYUID", uint64(validity)))
	return Code(appendUIDs(appendUIDs(b, from), to))
}

// appendUIDs appends UIDs as a uid-set that keeps their order. A range stands for
// its numbers from the lowest on, whichever end is named first (RFC 4315 section 4),
// so only what ascends becomes one.
func appendUIDs[U ~uint32](b []byte, uids []U) []byte {
	separator := byte(' ')
	for i := 0; i < len(uids); {
		first := i
		for i++; i < len(uids) && uids[i] == uids[i-1]+1; i++ {
		}
		b = AppendNumber(append(b, separator), uids[first])
		if i > first+1 {
			b = AppendNumber(append(b, ':'), uids[i-1])
		}
		separator = ','
	}
	return b
}

// PermanentFlagsCode is PERMANENTFLAGS.
func PermanentFlagsCode(flags []Flag) Code {
	return Code(AppendFlags([]byte("PERMANENTFLAGS "), flags))
}

// CapabilityCode is CAPABILITY.
func CapabilityCode(capabilities []string) Code {
	return Code("CAPABILITY " + strings.Join(capabilities, " "))
}

// MailboxIDCode is MAILBOXID (RFC 8474 section 4.2).
func MailboxIDCode(id string) Code { return Code("MAILBOXID (" + id + ")") }

// BadCharsetCode is BADCHARSET with the charsets that would do.
func BadCharsetCode(charsets []string) Code {
	b := []byte("BADCHARSET (")
	for i, c := range charsets {
		if i > 0 {
			b = append(b, ' ')
		}
		b = AppendAString(b, c, false)
	}
	return Code(append(b, ')'))
}
