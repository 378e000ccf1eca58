package capacity

// Names that the external tests use.
var ErrNoRate = errNoRate
