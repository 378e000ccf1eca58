package stack

import (
	"errors"
	"fmt"
	"io"
	"net"
)

// errClaimed tells that a port belongs to a unit of another run.
var errClaimed = errors.New("it belongs to another run of brunt")

// claim makes a port this run's: by a name in the abstract namespace of unix sockets,
// which is the network namespace's own as the ports are, leaves no file, and ends with
// the process. Holding the port itself would keep a unit from listening on it that
// does not ask for SO_REUSEADDR.
func claim(port int) (io.Closer, error) {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: fmt.Sprintf("@brunt-port-%d", port), Net: "unix"})
	if err != nil {
		return nil, errClaimed
	}
	return l, nil
}
