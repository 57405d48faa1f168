package index

import "runtime/debug"

// guarded runs do, which may read mapped files. Somebody who truncates such a file
// makes a fault of every access behind its end; guarded is false then.
func guarded(do func()) (ok bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer faulted(&ok)
	do()
	return true
}

// faulted, deferred, makes a fault of a mapping a false.
func faulted(ok *bool) {
	e := recover()
	if e == nil {
		return
	}
	if _, fault := e.(interface{ Addr() uintptr }); !fault {
		panic(e)
	}
	*ok = false
}
