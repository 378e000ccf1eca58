package rpc

// Names that the external tests use.

var ErrCallerHung = errCallerHung

const HeartbeatPatience = heartbeatPatience
