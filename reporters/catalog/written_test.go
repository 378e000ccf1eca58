package catalog

import "brunt/reporters"

// writtenFiles returns the formats that have a file in the folder of a run.
func writtenFiles() []reporters.Format {
	var out []reporters.Format
	for _, rep := range All() {
		if f := rep.Format(); f.File != "" {
			out = append(out, f)
		}
	}
	return out
}
