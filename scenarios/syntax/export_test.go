package syntax

// Names that the external tests use.
const (
	MostWrong = mostWrong
	RefKinds  = refKinds
)

var Unsplit = unsplit
