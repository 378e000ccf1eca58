package template

import "embed"

// Source is the source text of this package. The comments of its fields become the descriptions
// in JSON Schemas.
//
//go:embed *.go
var Source embed.FS
