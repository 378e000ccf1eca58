package effect

import "time"

const (
	ms  = time.Millisecond
	sec = time.Second
)
