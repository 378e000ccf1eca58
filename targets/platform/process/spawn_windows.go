package process

// defaultSignals does nothing: a child inherits no action for signals.
func defaultSignals() {}
