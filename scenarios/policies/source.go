package policies

import "embed"

// Source is the source text of this package. The comments of its settings become their descriptions.
//
//go:embed *.go
var Source embed.FS
