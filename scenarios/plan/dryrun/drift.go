package dryrun

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

// Drift describes the differences between a plan file that is kept in dir and what a run would do now, including
// faults that would fail now. An error means that the comparison was not possible.
func Drift(ctx context.Context, p *plan.Plan, was *PlanFile, dir string, set map[string]string) ([]string, error) {
	salt, err := hex.DecodeString(was.Salt)
	if err != nil {
		return nil, err
	}
	now, err := planFile(ctx, p, dir, set, salt)
	if now == nil {
		return nil, err
	}
	d := &drift{}
	if err != nil {
		d.add("%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	d.target(was.Target, now.Target)
	for i := range now.Faults {
		f := &now.Faults[i]
		if j := slices.IndexFunc(was.Faults, func(o Forecast) bool { return o.Fault == f.Fault }); j >= 0 {
			d.fault(&was.Faults[j], f)
		} else {
			d.add("fault %s is not in the plan", f.Fault)
		}
	}
	for i := range was.Faults {
		if name := was.Faults[i].Fault; !slices.ContainsFunc(now.Faults, func(o Forecast) bool { return o.Fault == name }) {
			d.add("fault %s of the plan is gone", name)
		}
	}
	d.times(was.Timeline, now.Timeline)
	d.settings(was.Settings, now.Settings)
	if was.Seed != now.Seed {
		d.add("the seed is %d, the plan says %d", now.Seed, was.Seed)
	}
	if was.Brunt != now.Brunt {
		d.add("this is brunt %s, the plan was made by brunt %s", now.Brunt, was.Brunt)
	}
	d.files("policy", was.Policies, now.Policies)
	d.files("file", withoutScenario(was), withoutScenario(now))
	if len(d.found) == 0 && was.Scenario.Digest != now.Scenario.Digest {
		d.add("a secret, of the environment or of a file, has another value than when the plan was made, or keys stand in " +
			"another order")
	}
	return d.found, nil
}

// withoutScenario lists the files of a plan without the scenario itself. Its settings are compared instead, so that a
// changed comment is no difference.
func withoutScenario(f *PlanFile) []PlannedFile {
	return slices.DeleteFunc(slices.Clone(f.Scenario.Files), func(p PlannedFile) bool { return p.File == f.Scenario.File })
}

// drift collects differences as texts.
type drift struct{ found []string }

func (d *drift) add(format string, args ...any) {
	d.found = append(d.found, fmt.Sprintf(format, args...))
}

func (d *drift) target(was, now PlannedTarget) {
	if was.Kind != now.Kind || was.Name != now.Name {
		d.add("the target is %s, the plan says %s", now.Name, was.Name)
	}
	if was.Entry != now.Entry {
		d.add("the entry is %s, the plan says %s", now.Entry, was.Entry)
	}
	if !slices.Equal(was.Addresses, now.Addresses) {
		d.add("%s leads to %s, the plan says %s", now.Name, listed(now.Addresses), listed(was.Addresses))
	}
	if now.Cluster != nil && was.Cluster != nil && *now.Cluster != *was.Cluster {
		d.add("%s leads to another cluster than the plan's: its kube-system has the UID %s, the plan says %s",
			now.Cluster.Name, now.Cluster.UID, was.Cluster.UID)
	}
	find := func(in []PlannedService, name string) *PlannedService {
		for i := range in {
			if in[i].Name == name {
				return &in[i]
			}
		}
		return nil
	}
	for i := range now.Services {
		s := &now.Services[i]
		o := find(was.Services, s.Name)
		if o == nil {
			d.add("service %s is not in the plan", s.Name)
			continue
		}
		if o.Replicas != s.Replicas {
			d.add("%s has %s, the plan says %d", s.Name, syntax.Amount(s.Replicas, "replica"), o.Replicas)
		}
		if !slices.Equal(o.Links, s.Links) {
			d.add("%s calls %s, the plan says %s", s.Name, listed(s.Links), listed(o.Links))
		}
		if o.Restart != s.Restart {
			d.add("%s is restarted %s, the plan says %s", s.Name, s.Restart, o.Restart)
		}
		d.files("program of "+s.Name, o.Programs, s.Programs)
	}
	for i := range was.Services {
		if find(now.Services, was.Services[i].Name) == nil {
			d.add("service %s of the plan is gone", was.Services[i].Name)
		}
	}
}

func (d *drift) fault(was, now *Forecast) {
	for i, p := range now.Processes {
		switch {
		case i >= len(was.Processes) || was.Processes[i].PID != p.PID: // reported with the settings
		case p.Start == 0:
			d.add("%s: process %d is no more", now.Fault, p.PID)
		case !p.Same(was.Processes[i]):
			d.add("%s: process %d (%s) is another than the plan's (%s): it began at another time", now.Fault, p.PID, p.Name,
				was.Processes[i].Name)
		}
	}
	switch steps := func(f *Forecast) []string {
		var out []string
		for _, s := range f.Steps {
			out = append(out, s.What)
		}
		return out
	}; {
	case now.why != "": // already reported
	case was.Kind != now.Kind:
		d.add("%s is a %s, the plan says %s", now.Fault, now.Kind, was.Kind)
	case !same(was.Steps, now.Steps):
		d.add("%s would %s, the plan says %s", now.Fault, listed(steps(now)), listed(steps(was)))
	}
}

// times compares the times at which faults are planned.
func (d *drift) times(was, now []PlannedTime) {
	for _, t := range now {
		i := slices.IndexFunc(was, func(o PlannedTime) bool { return o.Name == t.Name })
		if i < 0 || same(was[i], t) { // a missing fault is already reported
			continue
		}
		d.add("%s comes at %s, to be over at %s; the plan says %s and %s", t.Name, offset(t.At), offset(t.Clear),
			offset(was[i].At), offset(was[i].Clear))
	}
}

func offset(n result.Num) string { return quantity.FormatSeconds(float64(n)) }

func (d *drift) settings(was, now map[string]string) {
	for _, path := range slices.Sorted(maps.Keys(now)) {
		switch old, has := was[path]; {
		case !has:
			d.add("%s is %s, and is not in the plan", path, now[path])
		case old != now[path]:
			d.add("%s is %s, the plan says %s", path, now[path], old)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(was)) {
		if _, has := now[path]; !has {
			d.add("%s is not said, the plan says %s", path, was[path])
		}
	}
}

// files compares files.
func (d *drift) files(what string, was, now []PlannedFile) {
	for _, f := range now {
		i := slices.IndexFunc(was, func(o PlannedFile) bool { return o.File == f.File })
		switch {
		case i < 0:
			d.add("%s %s is not in the plan", what, f.File)
		case was[i].Digest != f.Digest:
			d.add("%s %s has changed since the plan was made", what, f.File)
		}
	}
	for _, o := range was {
		if !slices.ContainsFunc(now, func(f PlannedFile) bool { return f.File == o.File }) {
			d.add("%s %s of the plan is not used", what, o.File)
		}
	}
}

func listed(items []string) string { return syntax.ListOr(items, "nothing") }
