//go:build !linux

package park

import (
	"context"
	"net"
	"time"
)

// A Lot holds no connections on this system.
type Lot struct{}

// NewLot creates a lot.
func NewLot(context.Context, func(f func()) bool) *Lot { return new(Lot) }

// Park returns false, so the connection keeps its reader.
func (*Lot) Park(*Place, net.Conn) bool { return false }

// Take returns false, because the connection was not parked.
func (*Lot) Take(*Place) bool { return false }

// TakeAt returns false, because the connection is not parked.
func (*Lot) TakeAt(*Place, time.Time, func()) bool { return false }
