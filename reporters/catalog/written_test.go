package catalog_test

import (
	"brunt/reporters"

	"brunt/reporters/catalog"
)

// writtenFiles returns the formats that have a file in the folder of a run.
func writtenFiles() []reporters.Format {
	var out []reporters.Format
	for _, rep := range catalog.All() {
		if f := rep.Format(); f.File != "" {
			out = append(out, f)
		}
	}
	return out
}
