package requestname

// Names that the external tests use.
const (
	MostCounted = mostCounted
	MostName    = mostName
	MostNames   = mostNames
)
