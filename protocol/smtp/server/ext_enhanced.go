package server

// enhancedStatusCodes is RFC 2034: the codes of RFC 3463 stand in the replies,
// except where that document wants none.
var enhancedStatusCodes = extension{offer: always("ENHANCEDSTATUSCODES")}
