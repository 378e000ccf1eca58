package toxics

import (
	"errors"
	"fmt"

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/codec/http2"
)

// GRPCError answers a share of the calls of gRPC by itself, with a status, and keeps the connection. The upstream does
// not see these calls. It answers a call as soon as the call has begun.
type GRPCError struct {
	Status  int     // from 1 to 16; 0 is 14, UNAVAILABLE
	Message string  // the text of the status
	Share   float64 // of the matching calls, from 0 to 1; 0 is all
	Path    string  // of the method, such as "/shop.Orders/Get", with * for any text; empty is all
}

func (t GRPCError) Check(parsed bool) error {
	var errs []error
	if t.Status < 0 || t.Status > 16 {
		errs = append(errs, fmt.Errorf("status %d is no error of gRPC; from 1 to 16", t.Status))
	}
	return errors.Join(append(errs, checkRequests(parsed, t.Share))...)
}

func (t GRPCError) Begin() proxy.Effect {
	if t.Status == 0 {
		t.Status = 14
	}
	a := http2.NewStatus(t.Status, t.Message)
	return proxy.Effect{CountsItself: true, Streams: func(s proxy.Point) *proxy.StreamEffect {
		return &proxy.StreamEffect{RequestFilter: proxy.NewRequestFilter(s, t.Share, t.Path, "").CallsOnly(), Answer: a}
	}}
}
