//go:build !linux

package stream

import (
	"context"
	"net"
	"time"
)

// A parkLot has the connections that are parked: none.
type parkLot struct{}

// newParkLot creates a lot.
func newParkLot(context.Context, func(f func()) bool) *parkLot { return new(parkLot) }

// Park returns false: the connection keeps its reader.
func (*parkLot) Park(*parkPlace, net.Conn) bool { return false }

// Take returns false: the connection was not parked.
func (*parkLot) Take(*parkPlace) bool { return false }

// TakeAt returns false: the connection is not parked.
func (*parkLot) TakeAt(*parkPlace, time.Time, func()) bool { return false }
