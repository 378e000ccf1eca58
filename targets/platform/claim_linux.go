package platform

import (
	"errors"
	"fmt"
	"io"
	"net"
)

// errClaimed reports that a port belongs to a unit of another run.
var errClaimed = errors.New("it belongs to another run of brunt")

// claim claims a port for this run with a name in the abstract namespace of unix sockets. Like ports, that namespace
// belongs to the network namespace. The claim leaves no file, and ends with the process. Listening on the port itself
// would block a unit that does not set SO_REUSEADDR.
func claim(port int) (io.Closer, error) {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: fmt.Sprintf("@brunt-port-%d", port), Net: "unix"})
	if err != nil {
		return nil, errClaimed
	}
	return l, nil
}
