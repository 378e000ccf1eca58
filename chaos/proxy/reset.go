package proxy

// Reset resets every live connection on both sides, once. New ones work.
type Reset struct{}

func (Reset) check(bool) error { return nil }

func (Reset) begin() effect { return effect{cut: true, once: true} }
