package process

// defaultSignals does nothing, because a child inherits no actions for signals on Windows.
func defaultSignals() {}
