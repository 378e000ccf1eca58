package result

// Names that the external tests use.
const (
	KeptSent   = keptSent
	RecordSize = recordSize
)
