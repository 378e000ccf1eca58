package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"brunt/chaos/agent"
	"brunt/chaos/catalog"
	"brunt/chaos/journal"
	"brunt/targets/platform/docker"
)

// protection is what takes a run's faults back when the run itself does not: the journal and its
// watchdogs. Its agents act inside containers.
type protection struct {
	*session
	journal  *journal.Journal
	watchdog *journal.Watchdog
	remote   *journal.RemoteWatchdog // nil: brunt does not run in a container
	agents   agent.Pool
}

// open opens the journal and starts the watchdog.
func (p *protection) open() (err error) {
	if p.journal, err = journal.Open(catalog.AllOperations(), p.o.State, p.o.ID); err != nil {
		return err
	}
	p.journal.At, p.journal.Mask, p.journal.Copies = p.o.At, p.Scenario.Secrets.Mask, true
	p.agents.Journal = p.journal
	if len(p.o.Watchdog) == 0 {
		return nil
	}
	mark, err := p.startRemote()
	if err == nil {
		p.watchdog, err = journal.StartWatchdog(p.o.Watchdog, p.journal.Path(), mark...)
	}
	if err != nil {
		if p.remote != nil {
			err = errors.Join(err, p.remote.Stop())
		}
		return errors.Join(err, p.journal.Close())
	}
	return nil
}

const (
	remoteSlack = 15 * time.Minute   // a run may take that much longer than planned before its remote watchdog undoes everything
	longest     = 7 * 24 * time.Hour // of a run with a remote watchdog
)

// startRemote starts the remote watchdog of a brunt that runs in a container itself, if it injects
// faults by the engine, and returns the mark for the other watchdog.
func (p *protection) startRemote() (mark []string, err error) {
	if docker.Self() == "" {
		return nil, nil
	}
	const (
		alone = "brunt runs in a container, and its watchdog in the same one: when that container ends, both end, " +
			"and what the kernel does not take back stays until `brunt revert`. Keep BRUNT_STATE on a volume"
		unknown = "the engine %s does not know the container that brunt runs in, which belongs to another engine, as in Docker in Docker; " +
			"so the engine can't run a watchdog in a container of its own. "
		soon = time.Minute
	)
	if !p.Contained && !slices.ContainsFunc(p.Faults, p.NeedsAgent) {
		p.Note(alone)
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	at, err := docker.Find(p.Getenv)
	if err != nil {
		return nil, err
	}
	e, err := docker.Open(at, docker.Options{Check: p.ChaosAllowlist.CheckAddr})
	if err != nil {
		return nil, err
	}
	if err := e.Ping(ctx); err != nil { // reported when the target is brought up
		return nil, e.Close()
	}
	most := remoteSlack + p.Takes()
	for _, f := range p.Faults {
		most += f.Stays() + f.WithinOr()
	}
	if most <= 0 || most > longest { // a load without an end
		most = longest
	}
	p.remote, err = journal.StartRemoteWatchdog(ctx, e, p.o.ID, most)
	switch {
	case errors.Is(err, journal.ErrNoRemoteWatchdog):
		p.Note(unknown+alone, at.Host)
		return nil, e.Close()
	case err != nil:
		return nil, errors.Join(err, e.Close())
	}
	p.journal.Tell = p.remote.Tell
	p.Note("brunt runs in a container, and a watchdog in a container of its own takes faults on others back if brunt's container ends. " +
		"Faults by `exec` and `webhook`, and on processes of brunt's own container, are then taken back only by `brunt revert`: keep BRUNT_STATE on a volume")
	return []string{p.remote.Mark(at)}, nil
}

// close stops the watchdog and ends the journal. Left describes what is still to be undone;
// empty is nothing.
func (p *protection) close() (left string, err error) {
	const most = time.Minute
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	if err := p.agents.Close(ctx); err != nil {
		p.Note("%v", err)
	}
	if p.agents.Local != nil {
		if err := p.agents.Local.Close(); err != nil {
			p.Note("%v", err)
		}
	}
	if p.watchdog != nil {
		if err := p.watchdog.Stop(); err != nil {
			p.Note("%v", err)
		}
	}
	if p.remote != nil {
		if err := p.remote.Stop(); err != nil {
			p.Note("%v", err)
		}
	}
	if open := p.journal.Open(); open > 0 {
		left = fmt.Sprintf("%d entries of the journal are open; `brunt revert` tries again", open)
	}
	return left, p.journal.Close()
}

// prepareAgents prepares the image of the agents, where a fault will need one.
func (p *protection) prepareAgents(ctx context.Context) error {
	for _, e := range p.Parts() {
		if p.o.NoChaos || !p.NeedsAgent(e) {
			continue
		}
		if p.agents.Local != nil && e.Traits(p.Scope).InNetwork { // its start takes longer than a fault may be late
			if _, err := p.agents.Local.Process(ctx); err != nil {
				return err
			}
		}
		engine, err := p.sys.Open(ctx)
		if err != nil {
			return err
		}
		return p.agents.Ready(ctx, engine, p.o.ID)
	}
	return nil
}
