package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"brunt/targets/platform/docker"
)

// Undos of what is done in a Docker engine.
const (
	opFleet   = "docker.sweep"   // all that carries the run's label is removed
	opCompose = "docker.compose" // all that carries the label of the run's Compose project is removed
)

// engineArgs are the arguments of every undo in an engine.
type engineArgs struct {
	Engine docker.Address `json:"engine"`
	Run    string         `json:"run,omitempty"`
	// Settle is how long an order that brunt gave before it died may take to come into
	// force, in nanoseconds.
	Settle   time.Duration    `json:"settle,omitempty"`
	Endpoint *docker.Endpoint `json:"endpoint,omitempty"`
}

// containerIdentity says which container is meant, and which of its lives.
type containerIdentity struct {
	Container string    `json:"container"`
	Started   time.Time `json:"started,omitzero"`
	Network   string    `json:"network,omitempty"`
}

func rawOf(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // of structs of texts and numbers
	}
	return b
}

// FleetUndo takes back the making of a stack of containers: all that carries the run's
// label is removed.
func FleetUndo(at docker.Address, run string) Undo {
	return Undo{Op: opFleet, Args: rawOf(engineArgs{Engine: at, Run: run})}
}

// ComposeUndo takes back what Compose has made for a run's project: all that carries the
// project's label is removed.
func ComposeUndo(at docker.Address, project string) Undo {
	return Undo{Op: opCompose, Args: rawOf(engineArgs{Engine: at, Run: project})}
}

// SweepFleet removes all that carries the run's label: what an engine made still after whoever asked for it had
// gone away.
func SweepFleet(ctx context.Context, e *docker.Engine, run string) error {
	_, err := sweepEngine(ctx, e, docker.RunLabel, run)
	return err
}

// SweepCompose is SweepFleet for what Compose makes for a project.
func SweepCompose(ctx context.Context, e *docker.Engine, project string) error {
	_, err := sweepEngine(ctx, e, docker.ComposeProject, project)
	return err
}

// sweepOperations remove what a run has made in an engine.
func sweepOperations() []Operation {
	by := func(label string) func(context.Context, *docker.Engine, engineArgs) (Outcome, error) {
		return func(ctx context.Context, e *docker.Engine, args engineArgs) (Outcome, error) {
			return sweepEngine(ctx, e, label, args.Run)
		}
	}
	return []Operation{
		{Name: opFleet, Do: onRun(by(docker.RunLabel)), ByEngine: true},
		{Name: opCompose, Do: onRun(by(docker.ComposeProject)), ByEngine: true},
	}
}

// onRun makes an undo of what is done to all that a run has in an engine.
func onRun(do func(context.Context, *docker.Engine, engineArgs) (Outcome, error)) func(context.Context, Undo) (Outcome, error) {
	return func(ctx context.Context, u Undo) (Outcome, error) {
		var args engineArgs
		if err := json.Unmarshal(u.Args, &args); err != nil || args.Run == "" {
			return Failed, fmt.Errorf("%w: %w", ErrDamaged, errors.Join(err, errors.New(u.Op)))
		}
		e, err := docker.Open(args.Engine, docker.Options{})
		if err != nil {
			return Failed, err
		}
		defer e.Close()
		return do(ctx, e, args)
	}
}

// onContainer makes an undo of what is done to one container of an engine.
func onContainer(do func(context.Context, *docker.Engine, containerIdentity, engineArgs) (Outcome, error)) func(context.Context, Undo) (Outcome, error) {
	return func(ctx context.Context, u Undo) (Outcome, error) {
		var args engineArgs
		var id containerIdentity
		if err := errors.Join(json.Unmarshal(u.Args, &args), json.Unmarshal(u.Identity, &id)); err != nil || id.Container == "" {
			return Failed, fmt.Errorf("%w: %w", ErrDamaged, errors.Join(err, errors.New(u.Op)))
		}
		e, err := docker.Open(args.Engine, docker.Options{})
		if err != nil {
			return Failed, err
		}
		defer e.Close()
		return do(ctx, e, id, args)
	}
}

// again is how long after an order of a dead brunt another look is worth it: the engine
// may have read the order and not followed it yet.
const again = 250 * time.Millisecond

// sweepEngine removes all that carries a label in an engine, until nothing is found for a
// while.
func sweepEngine(ctx context.Context, e *docker.Engine, label, value string) (Outcome, error) {
	out := Gone
	for quiet := 0; quiet < 2; quiet++ {
		left, err := e.RemoveLabelled(ctx, label, value)
		if err != nil {
			return Failed, err
		}
		if left.Total() > 0 {
			out, quiet = Reverted, 0
		}
		select {
		case <-ctx.Done():
			return Failed, ctx.Err()
		case <-time.After(again):
		}
	}
	return out, nil
}
