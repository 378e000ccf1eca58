package catalog

import (
	"brunt/targets"
	"brunt/targets/http"
)

// Kinds lists the protocols.
func Kinds() map[string]func() targets.Protocol {
	return map[string]func() targets.Protocol{
		"http": func() targets.Protocol { return new(http.HTTP) },
	}
}
