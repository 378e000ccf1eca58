//go:build !unix

package targets

import "net"

// stillOpen trusts every connection where there is no way to look at one without
// waiting.
func stillOpen(*net.TCPConn) bool { return true }
