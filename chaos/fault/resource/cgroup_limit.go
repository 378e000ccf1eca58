package resource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"brunt/chaos"
	"brunt/chaos/cgroup"
	"brunt/chaos/proc"
	"brunt/chaos/victim"
)

// A cgroupLimit limits the resources of a unit by settings of its control group. It writes into the group directly, so
// that the configuration in the service manager or engine stays unchanged.
//
// If a unit shares its group, as the processes of a stack share brunt's, it gets its own group below that one for the
// time of the fault, so that no other process is hit.
type cgroupLimit struct {
	victim.Victim
	home   cgroup.Group // group of the unit
	own    string       // directory of the group made for the unit; empty if the unit is alone in home
	values []limitedSetting
}

// limitedSetting is a setting with the values before and after.
type limitedSetting struct {
	cgroup.Setting
	Was string `json:"was"`
	Is  string `json:"is"`
}

// Names of the undo operations of limits.
const (
	opGroupSet   = "cgroup.set"   // restores a setting
	opGroupLeave = "cgroup.leave" // moves the processes of a group that brunt made back, and removes it
)

// groupIdentity identifies a group. The path alone does not: another group may have it later, for example after a
// container is started again.
type groupIdentity struct {
	cgroup.Group
	Boot string         `json:"boot"`
	What cgroup.Setting `json:"what,omitzero"` // the setting, so that two runs may each hold one
}

// groupMove names the group from which the undo moves the unit back.
type groupMove struct {
	Own     string `json:"own"`
	Unified bool   `json:"unified,omitempty"`
}

// limitFor finds the group of a unit for a controller. The name of a new group contains the run.
func limitFor(v victim.Victim, c cgroup.Controller, run string) (*cgroupLimit, error) {
	r := &cgroupLimit{Victim: v}
	var err error
	if r.home, err = v.Groups.Find(v.ID.PID, c); err != nil {
		return nil, fmt.Errorf("%s: %w", v, err)
	}
	inside, err := r.home.Processes()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", v, err)
	}
	if v.Unit.Contained != nil {
		if r.home.Root || len(proc.Without(proc.Brunts(), inside)) < len(proc.Brunts()) {
			return nil, fmt.Errorf("%s: %s is not its container's alone: brunt is in it too", v, r.home.Path)
		}
		return r, nil
	}
	if r.home.Root || len(proc.Without(inside, proc.Tree(v.ID.PID))) > 0 {
		r.own = r.home.Below(ownName(r.home, run))
	}
	return r, nil
}

// shared reports whether the unit has no group of its own.
func (r *cgroupLimit) shared() bool { return r.own != "" }

// now reads a setting of the unit's group.
func (r *cgroupLimit) now(s cgroup.Setting) (string, error) {
	was, err := r.home.Read(s)
	return was, r.known(err)
}

// known returns err, or nil if the error only says that the root of a hierarchy has no limits.
func (r *cgroupLimit) known(err error) error {
	if r.shared() && errors.Is(err, os.ErrNotExist) && r.home.Root {
		return nil
	}
	return err
}

// set adds a setting, with its values before and during the fault.
func (r *cgroupLimit) set(s cgroup.Setting, was, is string) {
	r.values = append(r.values, limitedSetting{s, was, is})
}

func (r *cgroupLimit) Via() string {
	switch {
	case r.home.Path == "": // the group is not known yet
		return "cgroup"
	case r.home.Unified:
		return "cgroup v2"
	}
	return "cgroup v1"
}

func (r *cgroupLimit) Undo() []chaos.Undo {
	if r.shared() {
		args, _ := json.Marshal(groupMove{r.own, r.home.Unified})
		id, _ := json.Marshal(struct {
			groupIdentity
			Unit proc.Identity `json:"unit"`
		}{groupIdentity{Group: r.home, Boot: proc.BootID()}, r.ID})
		return []chaos.Undo{{Op: opGroupLeave, Args: args, Identity: id}}
	}
	var out []chaos.Undo
	for _, v := range r.values {
		args, _ := json.Marshal(v.Is)
		prior, _ := json.Marshal(v.Was)
		id, _ := json.Marshal(groupIdentity{r.home, proc.BootID(), v.Setting})
		out = append(out, chaos.Undo{Op: opGroupSet, Args: args, Identity: id, Prior: prior})
	}
	return out
}

// group returns the group that has the limit while the fault is injected.
func (r *cgroupLimit) group() cgroup.Group {
	if !r.shared() {
		return r.home
	}
	g, err := cgroup.Open(r.own, r.home.Unified, false)
	if err != nil {
		return cgroup.Group{Path: r.own, Unified: r.home.Unified}
	}
	return g
}

// put writes the values, and moves the unit into its own group if it needs one. After an error, part of that may be
// done and needs a revert.
func (r *cgroupLimit) put() error {
	g := r.home
	if r.shared() {
		var err error
		if g, err = cgroup.Make(r.own, r.home.Unified); err != nil {
			return err
		}
		r.Point("group made")
	} else if !g.Lives() {
		return fmt.Errorf("%s: its control group is no more", r.Unit.Name())
	}
	for _, v := range r.values {
		if err := g.Write(v.Setting, v.Is); err != nil {
			return fmt.Errorf("setting %s of %s to %s: %w", v.File, r.Unit.Name(), v.Is, err)
		}
		r.Point("setting written")
	}
	if !r.shared() {
		return nil
	}
	if !r.ID.Alive() {
		return proc.ErrEnded
	}
	return r.move(g, func() []int { return proc.Tree(r.ID.PID) })
}

// move moves processes into a group, including those that they start meanwhile.
func (r *cgroupLimit) move(g cgroup.Group, of func() []int) error {
	const most = 100 // a unit that forks faster cannot be moved
	for range most {
		inside, err := g.Processes()
		if err != nil {
			return err
		}
		rest := proc.Without(of(), inside)
		if len(rest) == 0 {
			return nil
		}
		for _, pid := range rest {
			if err := g.Add(pid); err != nil && victim.Alive(pid) {
				return fmt.Errorf("moving pid %d into %s: %w", pid, g.Path, err)
			}
			r.Point("process moved")
		}
	}
	return fmt.Errorf("%s starts processes faster than they can be moved", r.Unit.Name())
}

// placed checks that the limit is in place: the settings have the values of the fault, and the group has the unit. It
// returns the processes of the unit in the group, and the others.
func (r *cgroupLimit) placed() (in, out []proc.Process, err error) {
	g := r.group()
	for _, v := range r.values {
		switch now, err := g.Read(v.Setting); {
		case err != nil:
			return nil, nil, err
		case now != v.Is:
			return nil, nil, fmt.Errorf("%w: %s of %s is %s, not %s: another program has changed it", chaos.ErrNoEffect, v.File,
				r.Unit.Name(), now, v.Is)
		}
	}
	all := victim.Processes(r.Unit, r.ID)
	inside, err := g.Processes()
	if err != nil {
		return nil, nil, err
	}
	for _, p := range all {
		if slices.Contains(inside, p.PID) {
			in = append(in, p)
		} else if p.Identity().Alive() { // otherwise it has ended since it was listed
			out = append(out, p)
		}
	}
	if len(in) == 0 {
		return nil, nil, fmt.Errorf("%w: no process of %s is in %s", chaos.ErrNoEffect, r.Unit.Name(), g.Path)
	}
	return in, out, nil
}

// changed returns an error if something else has changed a setting of the limit.
func (r *cgroupLimit) changed(context.Context) error {
	g := r.group()
	for _, v := range r.values {
		if now, err := g.Read(v.Setting); err == nil && now != v.Is && r.ID.Alive() { // a restart makes another group
			return chaos.EndedEarlyError{
				Unit: r.Unit.Name(), What: fmt.Sprintf("got another limit (%s is %s, not %s)", v.File, now, v.Is),
			}
		}
	}
	return nil // a failed reading proves nothing
}

// outside returns the error that a limit is not shown for processes of the unit outside of the limited group.
func outside(out []proc.Process) error {
	return chaos.NotShownError{What: "a limit on " + proc.List(out) + ", outside of the limited group"}
}

func (r *cgroupLimit) Revert(ctx context.Context) (chaos.Outcome, error) {
	return chaos.OperationsOf(resourceOperations()).Revert(ctx, r.Undo())
}

// back checks that every setting has its prior value, and that the unit is in its prior group.
func (r *cgroupLimit) back() (string, error) {
	if r.shared() {
		if _, err := os.Stat(r.own); err == nil {
			return "", fmt.Errorf("%s is still there", r.own)
		}
		return "it is in " + r.home.Path + " again", nil
	}
	var found string
	for _, v := range r.values {
		now, err := r.home.Read(v.Setting)
		switch {
		case !r.home.Lives():
			return "its control group is no more", nil
		case err != nil:
			return "", err
		case now == v.Is && v.Is != v.Was:
			return "", fmt.Errorf("%s is still %s", v.File, now)
		case now != v.Was:
			found = fmt.Sprintf("%s is %s: brunt did not set that value and leaves it", v.File, now)
		default:
			found = fmt.Sprintf("%s is %s again", v.File, now)
		}
	}
	return found, nil
}

// resourceOperations revert the faults on resources.
func resourceOperations() []chaos.Operation {
	return append(victim.StressOperations(), []chaos.Operation{
		{Name: opGroupSet, Do: doGroup, Exclusive: true, Find: findSettings},
		{Name: opGroupLeave, Do: doGroup, Find: findGroups},
		{Name: opName, Do: doName, Find: findNames, Key: func(u chaos.Undo) string { return string(u.Args) }},
		{Name: opFiles, Do: victim.InFamily(restoreFiles), Exclusive: true, OfProcess: true, Find: findFileLimits},
		{Name: opScore, Do: victim.InFamily(restoreScore), Exclusive: true, OfProcess: true, Find: findScores},
	}...)
}

// doGroup executes the undo of a change of a control group.
func doGroup(ctx context.Context, u chaos.Undo) (chaos.Outcome, error) {
	var id groupIdentity
	if err := json.Unmarshal(u.Identity, &id); err != nil || id.Path == "" {
		return chaos.Failed, fmt.Errorf("%w: no control group in %q", chaos.ErrDamaged, u.Identity)
	}
	if id.Boot != proc.BootID() {
		return chaos.Gone, nil
	}
	if u.Op == opGroupLeave {
		var m groupMove
		if err := json.Unmarshal(u.Args, &m); err != nil || m.Own == "" {
			return chaos.Failed, fmt.Errorf("%w: no control group in %q", chaos.ErrDamaged, u.Args)
		}
		return leaveGroup(ctx, m, id.Group)
	}
	var was, is string
	if err := errors.Join(json.Unmarshal(u.Prior, &was), json.Unmarshal(u.Args, &is)); err != nil {
		return chaos.Failed, fmt.Errorf("%w: %w", chaos.ErrDamaged, err)
	}
	return setBack(id.Group, id.What, was, is)
}

// setBack restores a setting if it still has the value that brunt set. The group may be gone, and another group may
// have its path.
func setBack(g cgroup.Group, s cgroup.Setting, was, is string) (chaos.Outcome, error) {
	if !g.Lives() {
		return chaos.Gone, nil
	}
	now, err := g.Read(s)
	switch {
	case err != nil:
	case now == was:
		return chaos.Reverted, nil
	case now != is: // a value that brunt did not set
		return chaos.None, nil
	default:
		err = g.Write(s, was)
	}
	if err != nil && !g.Lives() {
		return chaos.Gone, nil
	}
	if err != nil {
		return chaos.Failed, fmt.Errorf("setting %s of %s back to %s: %w", s.File, g.Path, was, err)
	}
	return chaos.Reverted, nil
}

// leaveGroup moves every process of a group that brunt made to its prior group, and removes the group.
func leaveGroup(ctx context.Context, m groupMove, home cgroup.Group) (chaos.Outcome, error) {
	own, err := cgroup.Open(m.Own, m.Unified, false)
	if errors.Is(err, os.ErrNotExist) {
		return chaos.Reverted, nil
	}
	if err != nil {
		return chaos.Failed, err
	}
	var last error
	gone := func() bool {
		inside, err := own.Processes()
		for _, pid := range slices.Backward(inside) {
			if aerr := home.Add(pid); aerr != nil && victim.Alive(pid) {
				err = aerr
			}
		}
		// A zombie keeps a group for a moment.
		last = errors.Join(err, own.Remove())
		return last == nil || errors.Is(last, os.ErrNotExist)
	}
	if proc.Await(ctx, 5*time.Second, gone, "") != nil {
		return chaos.Failed, fmt.Errorf("removing %s: %w", m.Own, last)
	}
	return chaos.Reverted, nil
}
