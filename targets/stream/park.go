package stream

// A parkLot waits for data on thousands of connections without a goroutine for each. It works on Linux. On other
// systems no connection is parked.
//
//	parkLot.Park --something came, or the other side ended the connection--> parkPlace.Wake

// A parkPlace is the place of a connection in a parkLot. A connection that is not parked has a reader.
type parkPlace struct {
	Wake func()          // is called when something came, after the connection was removed from the lot
	Over <-chan struct{} // closed when the connection must not be parked again

	watched bool   // the kernel knows the connection; the lot's mutex guards it
	name    uint64 // identifies it to the kernel while it is parked; zero: not parked; the lot's mutex guards it
}
