package stream

import "embed"

// source is this package's own text: the comments of its settings become the
// descriptions in the JSON Schema.
//
//go:embed *.go
var source embed.FS
