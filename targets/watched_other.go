//go:build !unix

package targets

import "net"

// watched is what Unix has beyond net.Conn.
type watched struct{ *net.TCPConn }

func newWatched(*net.TCPConn) *watched { return nil }

// quiet trusts every connection where there is no way to look at one without waiting.
func (*watched) quiet() bool { return true }
