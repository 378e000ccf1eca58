package link

import "embed"

// Source is the text of this package: the comments of its settings are the descriptions in the
// JSON Schema and in `brunt explain`.
//
//go:embed *.go
var Source embed.FS
