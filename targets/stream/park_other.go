//go:build !linux

package stream

import (
	"context"
	"net"
	"time"
)

// A parkLot holds no connections on this system.
type parkLot struct{}

// newParkLot creates a lot.
func newParkLot(context.Context, func(f func()) bool) *parkLot { return new(parkLot) }

// Park returns false, so the connection keeps its reader.
func (*parkLot) Park(*parkPlace, net.Conn) bool { return false }

// Take returns false, because the connection was not parked.
func (*parkLot) Take(*parkPlace) bool { return false }

// TakeAt returns false, because the connection is not parked.
func (*parkLot) TakeAt(*parkPlace, time.Time, func()) bool { return false }
