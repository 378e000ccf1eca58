//go:build !linux

package observe

// baseline knows nothing: it needs Linux.
type baseline struct{}

func (*baseline) moved(int, uint16) (some, ok bool) { return false, false }
