package site

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"brunt/reporters/evidence"
	"brunt/reporters/html"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// An entry is a run in a folder.
type entry struct {
	Key string // identifies the run in addresses: the folder relative to the root, with slashes
	dir string
	head
	written time.Time // modification time of its result.json
	size    int64
}

// head holds the fields of a result that lists of runs show.
type head struct {
	Run        string                   `json:"run"`
	Name       string                   `json:"name"`
	Verdict    scenarios.Verdict        `json:"verdict"`
	Reason     string                   `json:"reason"`
	Reasons    []result.Reason          `json:"reasons"`
	Meta       scenarios.Meta           `json:"meta"`
	Started    time.Time                `json:"started"`
	Duration   result.Num               `json:"duration"`
	Cells      []result.Cell            `json:"cells"`
	Objectives []result.ObjectiveResult `json:"objectives"`
	// for the programme
	Ended       time.Time            `json:"ended"`
	Control     bool                 `json:"control"`
	Faults      []result.FaultRecord `json:"faults"`
	Usage       []unitHead           `json:"usage"`
	Environment struct {
		Units []result.UnitIdentity `json:"units"`
	} `json:"environment"`
}

// A unitHead names a unit of the target.
type unitHead struct {
	Unit    string `json:"unit"`
	Service string `json:"service"`
}

// word returns the verdict in words.
func (h *head) word() string {
	return words.RunVerdict(&result.Result{Verdict: h.Verdict, Reasons: h.Reasons})
}

// total returns the figures of all requests of the judged run, or nil.
func (h *head) total() *words.PhaseRow {
	return words.PhaseRowOf(&result.Result{Cells: h.Cells}, slo.Phase{Kind: slo.RunPhase})
}

const (
	resultFile = "result.json"
	mostBytes  = 1 << 30 // of a result.json
	mostRuns   = 5000    // that are listed
	deepest    = 6       // folders below a root
)

// find lists the runs in folders, the oldest first. If a run was read before and has not changed, find takes it from
// known, which is keyed by folder. Problems lists the runs that could not be read, as sentences.
func find(roots []string, known map[string]*entry) (list []*entry, problems []string) {
	keys := map[string]bool{}
	for _, root := range roots {
		err := filepath.WalkDir(root, func(dir string, d fs.DirEntry, err error) error {
			if err != nil {
				if dir == root {
					return err
				}
				problems = append(problems, err.Error())
				return fs.SkipDir
			}
			if !d.IsDir() {
				return nil
			}
			rel, err := filepath.Rel(root, dir)
			if err != nil {
				return err
			}
			if dir != root && strings.HasPrefix(d.Name(), ".") || strings.Count(rel, string(filepath.Separator)) >= deepest {
				return fs.SkipDir
			}
			info, err := os.Stat(filepath.Join(dir, resultFile))
			if err != nil || !info.Mode().IsRegular() {
				return nil
			}
			if len(list) == mostRuns {
				problems = append(problems, fmt.Sprintf("Only %d runs are listed: name a smaller folder.", mostRuns))
				return fs.SkipAll
			}
			e, err := read(dir, info, known[dir])
			if err != nil {
				problems = append(problems, fmt.Sprintf("%s is left out: %v.", dir, err))
				return fs.SkipDir
			}
			e.Key = keyOf(roots, root, rel, keys)
			list = append(list, e)
			return fs.SkipDir
		})
		if err != nil {
			problems = append(problems, err.Error())
		}
	}
	slices.SortStableFunc(list, func(a, b *entry) int {
		return cmp.Or(a.Started.Compare(b.Started),
			cmp.Compare(a.Key, b.Key))
	})
	return list, problems
}

// keyOf returns the name of a folder in addresses. Each folder gets a different name.
func keyOf(roots []string, root, rel string, taken map[string]bool) string {
	key := filepath.ToSlash(rel)
	if len(roots) > 1 || rel == "." {
		name := filepath.Base(root)
		if abs, err := filepath.Abs(root); err == nil {
			name = filepath.Base(abs)
		}
		key = path.Join(name, key)
	}
	for n, first := 2, key; taken[key]; n++ {
		key = fmt.Sprintf("%s-%d", first, n)
	}
	taken[key] = true
	return key
}

// read returns the run of a folder.
func read(dir string, info fs.FileInfo, known *entry) (*entry, error) {
	if known != nil && known.written.Equal(info.ModTime()) && known.size == info.Size() {
		e := *known
		return &e, nil
	}
	b, err := disk.Read(filepath.Join(dir, resultFile), mostBytes)
	if err != nil {
		return nil, err
	}
	e := &entry{dir: dir, written: info.ModTime(), size: info.Size()}
	if err := json.Unmarshal(b, &e.head); err != nil {
		return nil, err
	}
	if e.Verdict == "" {
		return nil, fmt.Errorf("%s names no verdict, so brunt did not write it", resultFile)
	}
	e.Cells = slices.DeleteFunc(e.Cells, func(c result.Cell) bool {
		return c.Phase.Kind != slo.RunPhase || c.Load != "*" ||
			c.Step != "*"
	})
	return e, nil
}

// whole reads the complete result of a run.
func (e *entry) whole() (*result.Result, error) { return evidence.Read(e.dir) }

// row is the run in the list.
func (e *entry) row() html.IndexRun {
	row := html.IndexRun{
		Key: e.Key, Name: e.Name, Run: e.Run, Verdict: e.Verdict, Word: e.word(), Reason: e.Reason, Started: e.Started,
		Duration: e.Duration, P95: result.NaN,
		Labels: words.Meta(&result.Result{Meta: e.Meta}), Objectives: len(e.Objectives),
	}
	if run := e.total(); run != nil {
		row.Requests, row.Bad = run.All.Count, run.Bad
		if run.Ok.Count > 0 {
			row.P95 = run.Ok.Response.P95
		}
	}
	row.Held = held(e.Objectives)
	return row
}
