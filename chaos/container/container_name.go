package container

// Named is what a unit is called.
type Named struct{ Unit, Service string }
