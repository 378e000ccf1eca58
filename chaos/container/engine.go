package container

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"brunt/chaos"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// Names of the undos in a Docker engine.
const (
	opContainers = "docker.sweep"   // removes everything with the run's label
	opCompose    = "docker.compose" // removes everything with the label of the run's Compose project
)

// EngineArgs are the arguments of every undo in an engine.
type EngineArgs struct {
	Engine containers.Address `json:"engine"`
	Run    string             `json:"run,omitempty"`
	// Settle is the time in which a request of a dead brunt may still take effect, in nanoseconds.
	Settle   time.Duration        `json:"settle,omitempty"`
	Endpoint *containers.Endpoint `json:"endpoint,omitempty"`
}

// Identity identifies a container between two starts.
type Identity struct {
	Container string    `json:"container"`
	Started   time.Time `json:"started,omitzero"`
	Network   string    `json:"network,omitempty"`
}

// RawOf returns v, a struct of strings and numbers or a string, as JSON.
func RawOf(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // structs of strings and numbers cannot fail
	}
	return b
}

// ContainersUndo returns the undo of the creation of a group of containers: it removes everything with the run's label.
func ContainersUndo(at containers.Address, run string) chaos.Undo {
	return chaos.Undo{Op: opContainers, Args: RawOf(EngineArgs{Engine: at, Run: run})}
}

// ComposeUndo returns the undo of everything that Compose created for a run's project: it removes everything with the
// project's label.
func ComposeUndo(at containers.Address, project string) chaos.Undo {
	return chaos.Undo{Op: opCompose, Args: RawOf(EngineArgs{Engine: at, Run: project})}
}

// SweepContainers removes everything with the run's label. The engine may create objects even after the client that
// requested them is gone.
func SweepContainers(ctx context.Context, e *docker.Engine, run string) error {
	_, err := SweepEngine(ctx, e, containers.RunLabel, run)
	return err
}

// SweepCompose is SweepContainers for the objects that Compose creates for a project.
func SweepCompose(ctx context.Context, e *docker.Engine, project string) error {
	_, err := SweepEngine(ctx, e, containers.ComposeProject, project)
	return err
}

// SweepOperations remove the objects that a run has created in an engine.
func SweepOperations() []chaos.Operation {
	by := func(label string) func(context.Context, *docker.Engine, EngineArgs) (chaos.Outcome, error) {
		return func(ctx context.Context, e *docker.Engine, args EngineArgs) (chaos.Outcome, error) {
			return SweepEngine(ctx, e, label, args.Run)
		}
	}
	return []chaos.Operation{
		{Name: opContainers, Do: onRun(by(containers.RunLabel)), ByEngine: true},
		{Name: opCompose, Do: onRun(by(containers.ComposeProject)), ByEngine: true, Find: findProjects},
		{
			Name: opRemoveAgents, ByEngine: true, Helps: true,
			Do: onRun(func(ctx context.Context, e *docker.Engine, args EngineArgs) (chaos.Outcome, error) {
				return removeAgents(ctx, e, args.Run)
			}),
		},
		{Name: opEndAgent, Do: endAgent, ByEngine: true, PerRun: true, Network: inNetwork},
	}
}

// projectOf matches the name of the Compose project of a run, see compose.ProjectName.
var projectOf = regexp.MustCompile(`^brunt-(\d{8}-\d{6}-[a-z2-9]{8})$`)

// findProjects finds the Compose projects of runs by the labels that Compose gives their containers.
func findProjects(_ context.Context, s *chaos.Search) ([]chaos.Remnant, error) {
	number := map[string]int{}
	for i := range s.Containers {
		if name := s.Containers[i].Labels[containers.ComposeProject]; projectOf.MatchString(name) {
			number[name]++
		}
	}
	var out []chaos.Remnant
	for _, name := range slices.Sorted(maps.Keys(number)) {
		out = append(out, chaos.Remnant{
			Run: projectOf.FindStringSubmatch(name)[1], Sure: true,
			What: fmt.Sprintf("Compose project %s, with %d containers", name, number[name]),
			Why:  "brunt alone names a project after a run", Command: "docker compose -p " + name + " down -v",
			Undo: ComposeUndo(s.Engine.Address(), name),
		})
	}
	return out, nil
}

// onRun makes the Do of an operation from a function on the objects of a run in an engine.
func onRun(
	do func(context.Context, *docker.Engine, EngineArgs) (chaos.Outcome, error),
) func(context.Context, chaos.Undo) (chaos.Outcome, error) {
	return func(ctx context.Context, u chaos.Undo) (chaos.Outcome, error) {
		var args EngineArgs
		if err := json.Unmarshal(u.Args, &args); err != nil || args.Run == "" {
			return chaos.Failed, fmt.Errorf("%w: %w", chaos.ErrDamaged, errors.Join(err, errors.New(u.Op)))
		}
		e, err := docker.Open(args.Engine, docker.Options{})
		if err != nil {
			return chaos.Failed, err
		}
		defer e.Close()
		return do(ctx, e, args)
	}
}

// OnContainer makes the Do of an operation from a function on one container of an engine.
func OnContainer(do func(context.Context, *docker.Engine, Identity, EngineArgs) (chaos.Outcome,
	error)) func(context.Context,
	chaos.Undo) (chaos.Outcome, error) {
	return func(ctx context.Context, u chaos.Undo) (chaos.Outcome, error) {
		var args EngineArgs
		var id Identity
		if err := errors.Join(json.Unmarshal(u.Args, &args), json.Unmarshal(u.Identity, &id)); err != nil ||
			id.Container == "" {
			return chaos.Failed, fmt.Errorf("%w: %w", chaos.ErrDamaged, errors.Join(err, errors.New(u.Op)))
		}
		e, err := docker.Open(args.Engine, docker.Options{})
		if err != nil {
			return chaos.Failed, err
		}
		defer e.Close()
		return do(ctx, e, id, args)
	}
}

// SweepEngine removes everything with a label in an engine, until it finds nothing twice.
func SweepEngine(ctx context.Context, e *docker.Engine, label, value string) (chaos.Outcome, error) {
	out := chaos.Gone
	for quiet := 0; quiet < 2; quiet++ {
		left, err := e.RemoveLabelled(ctx, label, value)
		if err != nil {
			return chaos.Failed, err
		}
		if left.Total() > 0 {
			out, quiet = chaos.Reverted, 0
		}
		select {
		case <-ctx.Done():
			return chaos.Failed, ctx.Err()
		case <-time.After(chaos.RetryEvery):
		}
	}
	return out, nil
}
