package workers

import (
	"fmt"
	"os"
	"regexp"
	"slices"

	"brunt/scenarios/disk"
	"brunt/scenarios/plan"
)

// mostBundle is the maximum size of all files of a scenario together, in bytes.
const mostBundle = 64 << 20

// environment matches the name of a variable of the environment in a file of a scenario.
var environment = regexp.MustCompile(`\benv\.([A-Za-z_][A-Za-z0-9_]*)`)

// Bundle completes the source for a worker elsewhere. It adds the files that the plan was read from, and the
// variables of the environment that they name.
func (s Source) Bundle(p *plan.Plan) (Source, error) {
	var paths []string
	for _, f := range p.Scenario.Files() {
		paths = append(paths, f.Path)
	}
	s.Policies = nil
	for _, of := range p.Policies {
		s.Policies = append(s.Policies, of.File)
		paths = append(paths, of.File)
	}
	slices.Sort(paths)
	left, names := int64(mostBundle), map[string]bool{}
	s.Files = []File{}
	for _, path := range slices.Compact(paths) {
		text := []byte(s.Text)
		if path != s.Path || s.Text == "" {
			var err error
			if text, err = disk.Read(path, left); err != nil {
				return s, fmt.Errorf("workers elsewhere get at most %d MiB of files: %w", mostBundle>>20, err)
			}
		}
		left -= int64(len(text))
		s.Files = append(s.Files, File{path, text})
		for _, m := range environment.FindAllSubmatch(text, -1) {
			names[string(m[1])] = true
		}
	}
	s.Environ = nil
	for name := range names {
		if value, set := os.LookupEnv(name); set {
			s.Environ = append(s.Environ, name+"="+value)
		}
	}
	slices.Sort(s.Environ)
	return s, nil
}

// Read returns a function that reads the files that came with the source; nil if none did.
func (s Source) Read() func(path string) ([]byte, error) {
	if s.Files == nil {
		return nil
	}
	return func(path string) ([]byte, error) {
		for _, f := range s.Files {
			if f.Path == path {
				return f.Text, nil
			}
		}
		return nil, fmt.Errorf("a worker elsewhere has no file %s: the run did not read it before the load", path)
	}
}
