package samples

// Names that the external tests use.
const (
	SlowAtFirst   = slowAtFirst
	SlowPerSecond = slowPerSecond
)
