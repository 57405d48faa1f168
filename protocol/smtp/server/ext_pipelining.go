package server

// pipelining is RFC 2920: a client may send its next commands without waiting.
// The engine reads and answers as it always does; output.go has the rest.
var pipelining = extension{offer: always("PIPELINING")}
