package control

import "sort"

// Form is what a control file holds.
type Form int

// The forms.
const (
	Text      Form = iota // one line of text
	Path                  // one path, from the configuration directory if relative
	Name                  // one domain name
	Number                // one whole number, 0 or more
	Duration              // one number of seconds
	Domains               // a domain a line
	Virtual               // virtualdomains
	Addresses             // an address or @domain a line
	Senders               // login: addresses
	Expiry                // folder and age
	Users                 // rohrpost-users(5)
	Aliases               // rohrpost-aliases(5)
)

// Known is every file of the configuration directory, as rohrpost-control(5)
// describes it. A file that is not listed is reported by 'rohrpost check': it
// may be a slip of the pen, and then a setting that somebody relies on.
var Known = map[string]Form{
	"aliases":          Aliases,
	"badmailfrom":      Addresses,
	"concurrencylocal": Number,
	"databytes":        Number,
	"delaynotice":      Duration,
	"expire":           Expiry,
	"greetdelay":       Duration,
	"hoplimit":         Number,
	"locals":           Domains,
	"mail":             Path,
	"maxrecipients":    Number,
	"me":               Name,
	"queue":            Path,
	"queuelifetime":    Duration,
	"rcpthosts":        Domains,
	"senders":          Senders,
	"smtpgreeting":     Text,
	"timeoutdeliver":   Duration,
	"timeoutsmtpd":     Duration,
	"users":            Users,
	"virtualdomains":   Virtual,
}

// Names are the names of Known, sorted.
func Names() []string {
	names := make([]string, 0, len(Known))
	for n := range Known {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}
