package server

// alwaysOffered is announced before login and after it.
var alwaysOffered = []string{"IMAP4rev1", "IMAP4rev2", "LITERAL+", "SASL-IR", "ID", "ENABLE"}

// extensions are what is announced after login besides, each with the file that
// has it.
var extensions = []string{
	"BINARY",                // fetch_section.go, cmd_append.go, RFC 3516
	"CHILDREN",              // cmd_list.go, RFC 3348
	"CONDSTORE",             // cmd_store.go, cmd_fetch.go, RFC 7162
	"CREATE-SPECIAL-USE",    // ext_specialuse.go, RFC 6154
	"ESEARCH",               // cmd_search.go, RFC 4731
	"ESORT",                 // ext_sort.go, RFC 5267
	"IDLE",                  // ext_idle.go, RFC 2177
	"LIST-EXTENDED",         // cmd_list.go, RFC 5258
	"LIST-STATUS",           // cmd_list.go, RFC 5819
	"MOVE",                  // ext_move.go, RFC 6851
	"MULTIAPPEND",           // cmd_append.go, RFC 3502
	"NAMESPACE",             // ext_namespace.go, RFC 2342
	"QRESYNC",               // ext_qresync.go, RFC 7162
	"QUOTA",                 // ext_quota.go, RFC 9208
	"QUOTA=RES-MESSAGE",     // ext_quota.go, RFC 9208
	"QUOTA=RES-STORAGE",     // ext_quota.go, RFC 9208
	"SEARCHRES",             // cmd_search.go, RFC 5182
	"SORT",                  // ext_sort.go, RFC 5256
	"SORT=DISPLAY",          // sort_key.go, RFC 5957
	"SPECIAL-USE",           // ext_specialuse.go, RFC 6154
	"STATUS=SIZE",           // cmd_status.go, RFC 8438
	"THREAD=ORDEREDSUBJECT", // ext_thread.go, RFC 5256
	"THREAD=REFERENCES",     // thread_references.go, RFC 5256
	"UIDPLUS",               // cmd_expunge.go, cmd_append.go, cmd_copy.go, RFC 4315
	"UNSELECT",              // cmd_close.go, RFC 3691
	"UTF8=ACCEPT",           // ext_enable.go, RFC 6855
	"WITHIN",                // search_key.go, RFC 5032
}
