package memcached

import "embed"

// source is the source text of this package. The comments of its settings become the descriptions in the JSON Schema.
//
//go:embed *.go
var source embed.FS
