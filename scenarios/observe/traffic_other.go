//go:build !linux

package observe

import "time"

// baseline knows nothing: it needs Linux.
type baseline struct{}

func (*baseline) moved(time.Time, int, uint16) (some, ok bool) { return false, false }
