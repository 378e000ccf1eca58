package docker

// Names that the external tests use.

var ErrUnreachable = errUnreachable

var IsStatic = isStatic

var SelfOf = selfOf
