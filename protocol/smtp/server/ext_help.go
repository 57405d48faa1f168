package server

// help is the keyword that says HELP is there (RFC 5321 section 4.1.1.1).
var help = extension{offer: always("HELP")}
