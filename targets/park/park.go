// Package park waits for data on thousands of connections without a goroutine for each, which would need a stack and
// a buffer. It works on Linux. On other systems no connection is parked.
//
//	Lot.Park --something came, or the other side ended the connection--> Place.Wake
package park

// A Place is the place of a connection in a [Lot]. A connection that is not parked has a reader.
type Place struct {
	Wake func()          // is called when something came, after the connection was removed from the lot
	Over <-chan struct{} // closed when the connection must not be parked again; nil: never

	watched bool   // the kernel knows the connection; the lot's mutex guards it
	name    uint64 // identifies it to the kernel while it is parked; zero: not parked; the lot's mutex guards it
}
