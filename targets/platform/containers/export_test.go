package containers

// Names that the external tests use.

var SelfOf = selfOf
