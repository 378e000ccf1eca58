package site

import (
	"encoding/json"
	"path/filepath"
	"slices"

	"brunt/reporters/evidence"
	"brunt/scenarios/disk"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

const (
	mostEarlier = 9  // earlier runs that a result keeps
	mostLooked  = 40 // newest results that are read to find them
	mostChanged = 20 // changed settings that a result keeps
)

// Earlier returns the last runs of the same scenario whose folders are beside dir, the folder of a run, the oldest
// first. A run that can't be read is left out, and so is one of another file whose scenario has the same name. The
// newest has the settings that differ from those of r.
func Earlier(dir string, r *result.Result) []result.Earlier {
	var list []result.Earlier
	scenario := map[string]string{} // of the runs of list, by their folders
	for _, path := range disk.Newest(dir, resultFile, mostLooked) {
		b, err := disk.Read(path, mostBytes)
		if err != nil {
			continue
		}
		var e struct {
			head
			Generator struct {
				Healthy bool `json:"healthy"`
			} `json:"generator"`
			Scenario    string             `json:"scenario"`
			Environment result.Environment `json:"environment"`
		}
		if json.Unmarshal(b, &e) != nil || e.Verdict == "" || e.Name != r.Name || e.Run == r.Run ||
			!e.Started.Before(r.Started) || otherFile(&e.Environment, &r.Environment) {
			continue
		}
		one := result.Earlier{
			Run: e.Run, Folder: "../" + filepath.Base(filepath.Dir(path)), Started: e.Started, Verdict: e.Verdict,
			Late: !e.Generator.Healthy,
		}
		one.P95, one.P95Low, one.P95High = result.SteadyP95(e.Cells)
		if run := e.total(); run != nil {
			one.Requests, one.Bad = run.All.Count, run.Bad
		}
		scenario[one.Folder] = e.Scenario
		if list = append(list, one); len(list) == mostEarlier {
			break
		}
	}
	slices.SortStableFunc(list, func(a, b result.Earlier) int { return a.Started.Compare(b.Started) })
	if len(list) > 0 {
		last := &list[len(list)-1]
		last.Changed, last.ChangedMore = changed(scenario[last.Folder], r)
	}
	evidence.LookBeside(dir, list)
	return list
}

// otherFile reports whether two runs are of scenarios in different files. Results of older versions name no file.
func otherFile(a, b *result.Environment) bool {
	return len(a.Scenario) > 0 && len(b.Scenario) > 0 && a.Scenario[0].Path != b.Scenario[0].Path
}

// changed lists the values of the scenario of r that differ from those of an earlier one.
func changed(before string, r *result.Result) (list []result.SettingChange, more bool) {
	then, now := syntax.Resolved(before), syntax.Resolved(r.Scenario)
	if then == nil || now == nil {
		return nil, before != r.Scenario
	}
	for _, d := range now.ChangesFrom(then) {
		if d.Before == d.Now { // one scenario has an empty value, and the other lacks the key
			continue
		}
		if len(list) == mostChanged {
			return list, true
		}
		c := result.SettingChange{Path: d.At, Before: d.Before, Now: d.Now}
		for _, p := range r.Params {
			if slices.Contains(p.Feeds, d.At) {
				c.Param = p.Name
			}
		}
		list = append(list, c)
	}
	return list, false
}
