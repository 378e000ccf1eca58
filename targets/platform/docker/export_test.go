package docker

// Names that the external tests use.

var ErrUnreachable = errUnreachable

var (
	IsLinux = isLinux
	Needed  = needed
)
