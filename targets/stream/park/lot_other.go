//go:build !linux

package park

import (
	"context"
	"net"
	"time"
)

// A Lot has the connections that are parked: none.
type Lot struct{}

// New creates a lot.
func New(context.Context, func(f func()) bool) *Lot { return new(Lot) }

// Park returns false: the connection keeps its reader.
func (*Lot) Park(*Place, net.Conn) bool { return false }

// Take returns false: the connection was not parked.
func (*Lot) Take(*Place) bool { return false }

// TakeAt returns false: the connection is not parked.
func (*Lot) TakeAt(*Place, time.Time, func()) bool { return false }
