package syntax

// Names that the external tests use.
const MostWrong = mostWrong

var Unsplit = unsplit
