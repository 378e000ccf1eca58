//go:build !linux

package platform

import "io"

// claim does nothing here: while a unit is down, another process may take its port.
func claim(int) (io.Closer, error) { return nil, nil }
