package run

import (
	"context"
	"encoding/hex"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"brunt/chaos"
	"brunt/scenarios/machine"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/dryrun"
	"brunt/scenarios/result"
	"brunt/scenarios/run/target"
)

// An Identity describes the files, programs and images that a run was made from. It is used by one goroutine at a
// time.
type Identity struct {
	plan     *plan.Plan
	units    []result.UnitIdentity // units of the target when the load began
	replicas map[string]int        // number of replicas by service
	sums     dryrun.Digests
}

// IdentityOf returns the identity of runs of a plan.
func IdentityOf(p *plan.Plan) *Identity { return &Identity{plan: p} }

// Environment returns the identity for the result.
func (i *Identity) Environment() result.Environment {
	var command []string
	for _, arg := range os.Args {
		command = append(command, i.plan.Scenario.Secrets.MaskFields(arg))
	}
	var policies []string
	for _, p := range i.plan.Policies {
		policies = append(policies, plan.PolicyName(p))
	}
	sc := i.plan.Scenario
	var files []result.FileSum
	for _, f := range sc.Files() {
		files = append(files, result.FileSum{
			Path: dryrun.RelativePath(filepath.Dir(sc.File), f.Path), SHA256: hex.EncodeToString(f.Sum[:]),
		})
	}
	own, tools := i.Programs()
	entry := ""
	if i.plan.Stack != nil {
		entry = i.plan.Stack.Entry
	}
	return result.Environment{
		Commit: machine.Commit(), Binary: own, Scenario: files, Tools: tools, Replicas: i.replicas, Entry: entry,
		Units: i.units,
		Clock: machine.Clock(),
		Brunt: machine.Version(), Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(),
		Kernel: machine.Kernel(), Memory: machine.Memory(), Files: machine.FileLimit(), Command: command,
		Target: i.plan.TargetName(), Policies: policies,
	}
}

// Programs returns the digest of brunt's own file, and the digests of the programs that run its scripts. Each file is
// read once, before the load begins.
func (i *Identity) Programs() (own string, tools []result.FileSum) {
	for n := range i.plan.Loads {
		if s := i.plan.Loads[n].Script; s != nil && s.Binary != "" {
			if sum, ok := i.sums.Of(s.Binary); ok &&
				!slices.ContainsFunc(tools, func(t result.FileSum) bool { return t.SHA256 == sum }) {
				tools = append(tools, result.FileSum{Path: filepath.Base(s.Binary), SHA256: sum})
			}
		}
	}
	return machine.Digest(), tools
}

// identifyWithin is the time limit for asking the engine about the units' images.
const identifyWithin = 10 * time.Second

// Identify finds the images and programs of the units, before the load begins.
func (i *Identity) Identify(ctx context.Context, sys *target.System) {
	ctx, cancel := context.WithTimeout(ctx, identifyWithin)
	defer cancel()
	dir := filepath.Dir(i.plan.Scenario.File)
	for _, u := range sys.Units() {
		id := result.UnitIdentity{Unit: u.Name(), Service: u.Service()}
		if c := u.Traits().Contained; c != nil && u.Traits().Node == nil {
			i.image(ctx, sys, c, &id)
		} else if i.plan.Stack != nil {
			if service := i.plan.Stack.Service(id.Service); service != nil {
				files := dryrun.Programs(service)
				for _, file := range files {
					if sum, ok := i.sums.Of(file); ok {
						id.Programs = append(id.Programs, result.FileSum{Path: shownPath(dir, file), SHA256: sum})
					}
				}
				if sum := machine.Digest(); sum != "" && len(files) == 0 { // the unit is a part of brunt
					id.Programs = []result.FileSum{{Path: "brunt", SHA256: sum}}
				}
			}
		}
		i.units = append(i.units, id)
		if i.replicas == nil {
			i.replicas = map[string]int{}
		}
		i.replicas[id.Service]++
	}
}

// image identifies the image of a container.
func (i *Identity) image(ctx context.Context, sys *target.System, c chaos.Contained, id *result.UnitIdentity) {
	ref := c.ContainerID().ID
	if ref == "" {
		return
	}
	e, err := sys.Containers.Open(ctx)
	if err != nil {
		return
	}
	is, err := e.Inspect(ctx, ref)
	if err != nil {
		return
	}
	id.Image, id.ImageID = i.plan.Scenario.Secrets.Mask(is.Image), is.ImageID
	id.Digests, _ = e.Digests(ctx, is.ImageID)
}

// shownPath returns the path of a file relative to the scenario's folder. For a file outside of the folder it returns
// only the name, because its place on this machine is irrelevant.
func shownPath(dir, file string) string {
	if rel := dryrun.RelativePath(dir, file); filepath.IsLocal(filepath.FromSlash(rel)) {
		return rel
	}
	return filepath.Base(file)
}

// Made reports whether a result comes from a run of this plan as it is now: the same scenario with the same params,
// the same files, policies and programs of services, and the same brunt. Targets that already run, and images, are
// not compared.
func (i *Identity) Made(r *result.Result) bool {
	now, then := i.Environment(), r.Environment
	if i.plan.Scenario.Explain() != r.Scenario || now.Binary != then.Binary ||
		!slices.Equal(now.Policies, then.Policies) || !slices.Equal(now.Scenario, then.Scenario) ||
		!slices.Equal(now.Tools, then.Tools) {
		return false
	}
	if i.plan.Stack == nil {
		return true
	}
	for _, u := range then.Units {
		service := i.plan.Stack.Service(u.Service)
		if service == nil {
			return false
		}
		for n, file := range dryrun.Programs(service) {
			if sum, ok := i.sums.Of(file); ok && (n >= len(u.Programs) || u.Programs[n].SHA256 != sum) {
				return false
			}
		}
	}
	return true
}
