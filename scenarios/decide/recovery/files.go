package recovery

import (
	"encoding/json"
	"reflect"
	"slices"
	"time"

	"brunt/scenarios/disk"
	"brunt/scenarios/result"
)

const (
	resultFile = "result.json"
	mostLooked = 200       // newest results that are read
	mostBytes  = 256 << 20 // of a result
)

// A Session is the runs of one command. It reads each result on file once. The zero value is ready.
type Session struct {
	runs []*result.Result
	read map[string]*result.Result // by path; nil for a file that is not a result
}

// Add adds a run. It keeps only the parts that a pool needs.
func (s *Session) Add(r *result.Result) {
	s.runs = append(s.runs, &result.Result{
		Run: r.Run, Started: r.Started, Control: r.Control, Imported: r.Imported, Environment: r.Environment,
		Scenario: r.Scenario, Objectives: r.Objectives,
	})
}

// Before returns the runs whose occurrences count beside those of r, whose folder is dir: those on file, see
// [Session.onFile], and those of the same scenario in this session, whose target is the same even if its build is not
// known. The oldest is the first.
func (s *Session) Before(dir string, r *result.Result) []*result.Result {
	if r.Control || !slices.ContainsFunc(r.Objectives, func(o result.ObjectiveResult) bool { return len(o.Drills) > 0 }) {
		return nil
	}
	out := s.onFile(dir, r)
	for _, own := range s.runs {
		known := slices.ContainsFunc(out, func(o *result.Result) bool { return o.Run == own.Run })
		if own.Scenario == r.Scenario && !known {
			out = append(out, own)
		}
	}
	slices.SortStableFunc(out, func(a, b *result.Result) int { return a.Started.Compare(b.Started) })
	return out
}

// onFile returns the runs whose folders are beside dir, the folder of a run, and that are of the same scenario, build
// and environment as r; see [same]. A result that can't be read is left out.
func (s *Session) onFile(dir string, r *result.Result) []*result.Result {
	if s.read == nil {
		s.read = map[string]*result.Result{}
	}
	var out []*result.Result
	for _, path := range disk.Newest(dir, resultFile, mostLooked) {
		o, ok := s.read[path]
		if !ok {
			o = read(path)
			s.read[path] = o
		}
		if o != nil && o.Started.Before(r.Started) && same(r, o) {
			out = append(out, o)
		}
	}
	return out
}

// read returns the parts of a result that a pool needs; nil if the file is not a result.
func read(path string) *result.Result {
	b, err := disk.Read(path, mostBytes)
	if err != nil {
		return nil
	}
	var part struct {
		Run         string                   `json:"run"`
		Started     time.Time                `json:"started"`
		Control     bool                     `json:"control"`
		Imported    string                   `json:"imported"`
		Environment result.Environment       `json:"environment"`
		Scenario    string                   `json:"scenario"`
		Objectives  []result.ObjectiveResult `json:"objectives"`
	}
	if json.Unmarshal(b, &part) != nil || part.Run == "" {
		return nil
	}
	return &result.Result{
		Run: part.Run, Started: part.Started, Control: part.Control, Imported: part.Imported,
		Environment: part.Environment, Scenario: part.Scenario, Objectives: part.Objectives,
	}
}

// same reports whether two runs are of the same scenario, build and environment, so that their occurrences tell of the
// same system: the resolved scenarios are equal, as are brunt, the machine, and the programs or images of all units. It
// is false if the build of the target is not known, as for a URL.
func same(a, b *result.Result) bool {
	e, f := &a.Environment, &b.Environment
	return a.Run != b.Run && a.Scenario == b.Scenario &&
		!a.Control && !b.Control && a.Imported == "" && b.Imported == "" &&
		e.Binary == f.Binary && e.OS == f.OS && e.Arch == f.Arch && e.Kernel == f.Kernel && e.CPUs == f.CPUs &&
		known(e.Units) && reflect.DeepEqual(e.Units, f.Units) && reflect.DeepEqual(e.Replicas, f.Replicas)
}

// known reports whether the build of each unit is known.
func known(units []result.UnitIdentity) bool {
	return len(units) > 0 && !slices.ContainsFunc(units, func(u result.UnitIdentity) bool {
		return u.ImageID == "" && len(u.Programs) == 0
	})
}
