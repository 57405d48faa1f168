package index

import "runtime/debug"

// guarded runs do, which may read mapped files. Somebody who truncates such a file
// makes a fault of every access behind its end; guarded is false then.
func guarded(do func()) (ok bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		e := recover()
		if _, fault := e.(interface{ Addr() uintptr }); e != nil && !fault {
			panic(e)
		}
		ok = e == nil
	}()
	do()
	return true
}
