package imap

// ResourceLimit is a limit that SETQUOTA asks for (RFC 9208 section 4.1.3).
type ResourceLimit struct {
	Resource string // in capital letters, as "STORAGE", known or not
	Limit    int64  // in the unit of the resource; STORAGE counts 1024 octets
}

// ParseGetQuota reads the argument of GETQUOTA: a quota root.
func ParseGetQuota(d *Decoder) (string, error) {
	d.SP()
	root := d.AString()
	return root, d.End()
}

// ParseSetQuota reads the arguments of SETQUOTA.
func ParseSetQuota(d *Decoder) (root string, limits []ResourceLimit, err error) {
	d.SP()
	root = d.AString()
	d.SP()
	d.listOrNothing(func() {
		l := ResourceLimit{Resource: d.atomUpper()}
		d.SP()
		l.Limit = d.Number64()
		limits = append(limits, l)
	})
	return root, limits, d.End()
}
