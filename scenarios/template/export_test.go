package template

// Names that the external tests use.
const LongestLine = longestLine
