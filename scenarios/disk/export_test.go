package disk

import "time"

// SetPipeTime sets how long a pipe may give nothing. It returns what puts it back.
func SetPipeTime(d time.Duration) func() {
	was := pipeTime
	pipeTime = d
	return func() { pipeTime = was }
}

// InTemp is for tests of the folders that are tried.
var InTemp = inTemp

// SpoolHeld is how many bytes of memory a spool has.
func SpoolHeld(s *Spool) int { return cap(s.rest) }
