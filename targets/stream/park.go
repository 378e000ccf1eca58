package stream

// A parkLot waits for what comes on thousands of connections without a goroutine for each. It works on Linux. Elsewhere
// nothing is parked.
//
//	parkLot.Park --something came, or the other side ended the connection--> parkPlace.Wake

// A parkPlace is that of a connection in a parkLot. One that is not parked has its reader.
type parkPlace struct {
	Wake func()          // is called when something came; the connection is not parked any more then
	Over <-chan struct{} // closed when the connection is not to be parked again

	watched bool   // the kernel knows the connection; guarded by the lot
	name    uint64 // that the kernel has for it while it is parked; zero: it is not; guarded by the lot
}
