package result

import "embed"

// Source is this package's own text: the comments of its fields become the
// descriptions in JSON Schemas.
//
//go:embed *.go
var Source embed.FS
