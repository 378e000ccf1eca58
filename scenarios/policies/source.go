package policies

import "embed"

// Source is the text of this package: the comments of its settings become their descriptions.
//
//go:embed *.go
var Source embed.FS
