package container

// Named holds the names of a unit and its service.
type Named struct{ Unit, Service string }
