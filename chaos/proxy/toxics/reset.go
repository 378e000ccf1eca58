package toxics

import "brunt/chaos/proxy"

// Reset resets every live connection on both sides, once. New ones work.
type Reset struct{}

func (Reset) Check(bool) error { return nil }

func (Reset) Begin() proxy.Effect { return proxy.Effect{ResetEstablished: true, Once: true} }
