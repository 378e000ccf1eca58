package guard

import (
	"context"
	"crypto/ed25519"
	"errors"
	"slices"
	"time"

	"brunt/chaos/agent"
	"brunt/chaos/catalog"
	"brunt/chaos/cluster/agents"
	"brunt/chaos/journal"
	"brunt/chaos/timeline"
	"brunt/scenarios/plan"
	"brunt/scenarios/run/events"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// Options are the settings of a run's protection.
type Options struct {
	Run          string             // name of the run
	State        string             // folder of the journal
	Watchdog     []string           // the command line of the watchdog; empty runs without one, for tests
	At           func(point string) // called at each point where brunt could be killed, for tests
	AgentsAlways bool               // use agents in an engine even for faults that brunt could make itself, for tests
}

// Protection takes a run's faults back if the run itself does not. It consists of the journal and its watchdogs, and
// of agents, which act inside containers.
type Protection struct {
	Journal *journal.Journal // set by Open
	Agents  agent.Pool

	plan   *plan.Plan
	log    *events.Log
	o      Options
	local  *journal.Watchdog       // nil if the Options name none
	remote *journal.RemoteWatchdog // nil unless brunt runs in a container
	inside inside                  // watchdog in a cluster
	key    ed25519.PrivateKey      // signs what agents there are to execute; nil: no watchdog there knows it
	nodes  *agents.Nodes           // agents in that cluster; nil if no fault of the plan needs them
}

// NewProtection creates the protection of a run.
func NewProtection(p *plan.Plan, log *events.Log, o Options) *Protection {
	return &Protection{plan: p, log: log, o: o, Agents: agent.Pool{Find: catalog.Find, Always: o.AgentsAlways}}
}

// Open starts the watchdog, and then opens the journal: the watchdog removes a journal that a dead run leaves, so that
// none stays if brunt is killed at its start.
func (p *Protection) Open() error {
	if err := p.startWatchdogs(); err != nil {
		return errors.Join(err, p.Stop())
	}
	j, err := journal.Open(Operations(), p.o.State, p.o.Run)
	if err != nil {
		return errors.Join(err, p.Stop())
	}
	j.At, j.Mask, j.Copies = p.o.At, p.plan.Scenario.Secrets.Mask, true
	if p.remote != nil {
		j.Tell = p.remote.Tell
	}
	p.Journal, p.Agents.Journal = j, j
	return nil
}

func (p *Protection) startWatchdogs() error {
	if len(p.o.Watchdog) == 0 {
		return nil
	}
	mark, err := p.startRemote()
	if err != nil {
		return err
	}
	p.local, err = journal.StartWatchdog(p.o.Watchdog, journal.PathOf(p.o.State, p.o.Run), mark...)
	return err
}

const (
	// remoteSlack is the time beyond its planned length that a run may take before its remote watchdog undoes
	// everything
	remoteSlack = 15 * time.Minute
	longest     = 7 * 24 * time.Hour // maximum length of a run with a remote watchdog
)

// startRemote starts the remote watchdog if brunt itself runs in a container and injects faults through the engine.
// It returns the mark for the other watchdog.
func (p *Protection) startRemote() (mark []string, err error) {
	if containers.Self() == "" {
		return nil, nil
	}
	const (
		alone = "brunt runs in a container, and its watchdog in the same one: when that container ends, both end, " +
			"and what the kernel does not take back stays until `brunt revert`. Keep BRUNT_STATE on a volume"
		unknown = "the engine %s does not know the container that brunt runs in, which belongs to another engine, as in " +
			"Docker in Docker; " +
			"so the engine can't run a watchdog in a container of its own. "
		soon = time.Minute
	)
	if !p.plan.Contained && !slices.ContainsFunc(p.plan.Parts(), p.plan.NeedsAgent) {
		p.log.Note(alone)
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	at, err := containers.FindEngine(p.plan.Getenv)
	if err != nil {
		return nil, err
	}
	e, err := docker.Open(at, docker.Options{Check: p.plan.ChaosAllowlist.Check})
	if err != nil {
		return nil, err
	}
	if err := e.Ping(ctx); err != nil { // reported when the target is brought up
		return nil, e.Close()
	}
	p.remote, err = journal.StartRemoteWatchdog(ctx, e, p.o.Run, p.longest())
	switch {
	case errors.Is(err, journal.ErrNoRemoteWatchdog):
		p.log.Note(unknown+alone, at.Host)
		return nil, e.Close()
	case err != nil:
		return nil, errors.Join(err, e.Close())
	}
	p.log.Note("brunt runs in a container, and a watchdog in a container of its own takes faults on others back if " +
		"brunt's container ends. " +
		"Faults by `exec` and `webhook`, and on processes of brunt's own container, are then taken back only by `brunt " +
		"revert`: keep BRUNT_STATE on a volume")
	return []string{p.remote.Mark(at)}, nil
}

// longest returns the time after which a watchdog on another machine takes everything back in any case.
func (p *Protection) longest() time.Duration {
	most := remoteSlack + p.plan.Takes()
	if len(p.plan.Conditions) > 0 { // conditions hold until teardown is over
		most += p.plan.TeardownLimit()
	}
	for _, f := range p.plan.Faults {
		most += f.Stays() + f.WithinOr()
	}
	if most <= 0 || most > longest { // a load without an end
		return longest
	}
	return most
}

// Stop stops the watchdogs.
func (p *Protection) Stop() error {
	var errs []error
	if p.local != nil {
		errs = append(errs, p.local.Stop())
	}
	if p.remote != nil {
		errs = append(errs, p.remote.Stop())
	}
	return errors.Join(errs...)
}

// Close stops the watchdogs and ends the journal. left is the number of entries that are not undone.
func (p *Protection) Close() (left int, err error) {
	const most = time.Minute
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	if err := p.Agents.Close(ctx); err != nil {
		p.log.Note("%v", err)
	}
	if err := p.endAgents(ctx); err != nil {
		p.log.Note("%v", err)
	}
	if p.Agents.Local != nil {
		if err := p.Agents.Local.Close(); err != nil {
			p.log.Note("%v", err)
		}
	}
	if err := p.Stop(); err != nil {
		p.log.Note("%v", err)
	}
	if err := p.inside.stop(p.Journal); err != nil {
		p.log.Note("%v", err)
	}
	return p.Journal.Open(), p.Journal.Close()
}

// PrepareAgents prepares the image of the agents in an engine, if a fault of the plan will need one. Open
// opens the engine.
func (p *Protection) PrepareAgents(ctx context.Context, open func(context.Context) (*docker.Engine, error)) error {
	parts := p.plan.Parts()
	inNetwork := func(e *timeline.Entry) bool {
		return e.Traits(p.plan.Scope).InNetwork && !plan.ByPodAgent(&p.plan.Scope, e.Block)
	}
	// It is started now, because its start takes longer than a fault may be late.
	if p.Agents.Local != nil && slices.ContainsFunc(parts, inNetwork) {
		if _, err := p.Agents.Local.Process(ctx); err != nil {
			return err
		}
	}
	if !slices.ContainsFunc(parts, p.plan.NeedsAgent) {
		return nil
	}
	engine, err := open(ctx)
	if err != nil {
		return err
	}
	return p.Agents.Ready(ctx, engine, p.o.Run)
}
