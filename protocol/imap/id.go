package imap

// Param is a field of ID and what it says.
type Param struct {
	Name, Value string
	NIL         bool // the value was NIL
}

// RFC 2971 section 3.3: implementations MUST NOT send more than 30 field-value pairs,
// field names of more than 30 octets, values of more than 1024 octets.
const (
	maxParams     = 30
	maxParamName  = 30
	maxParamValue = 1024
)

// ParseID reads the arguments of ID (RFC 2971). Nothing in them is to be trusted, or
// written to a log unquoted.
func ParseID(d *Decoder) ([]Param, error) {
	var params []Param
	d.SP()
	if d.acceptWord("NIL") {
		return nil, d.End()
	}
	d.listOrNothing(func() {
		p := Param{Name: d.String()}
		d.SP()
		value, ok := d.NString()
		p.Value, p.NIL = value, !ok
		if len(params) == maxParams || len(p.Name) > maxParamName || len(p.Value) > maxParamValue {
			d.failCode(CodeLimit, "more than 30 fields, or one too long")
		}
		params = append(params, p)
	})
	return params, d.End()
}

// ParseEnable reads the arguments of ENABLE (RFC 5161): capabilities in capital
// letters, known or not.
func ParseEnable(d *Decoder) ([]string, error) {
	d.SP()
	names := []string{d.atomUpper()}
	for d.More() {
		names = append(names, d.atomUpper())
	}
	return names, d.End()
}

// ParseCompress reads the argument of COMPRESS (RFC 4978): an algorithm in capital
// letters, known or not.
func ParseCompress(d *Decoder) (string, error) {
	d.SP()
	name := d.atomUpper()
	return name, d.End()
}
