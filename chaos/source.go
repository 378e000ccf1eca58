package chaos

import "embed"

// Source is the source text of this package: the comments on settings become the descriptions in the
// JSON Schema.
//
//go:embed *.go
var Source embed.FS
