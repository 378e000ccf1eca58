package convert

// Names that the external tests use.
var (
	ConvertWith = convertWith
	Converters  = converters
)
