package container

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"brunt/chaos"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"

	"github.com/containerd/errdefs"
)

// A Container is a unit that is a container of an engine: one that brunt created, or one that already runs and matches
// a selector.
//
// It is identified by its name, so that a container that Compose recreates is the same unit. Actions
// check its id and start time: a successor is never touched for its predecessor's fault.
type Container struct {
	Engine *docker.Engine
	Ref    string // its name or id in the engine
	Of     Named
	// Selected says why a fault may touch the container: the container must still match. Zero means
	// that brunt created it.
	Selected containers.Query
	// Check runs the unit's readiness check once; nil asks the engine for its health.
	Check func(ctx context.Context) error
	// Answer asks the unit once for an answer of its own; nil means that the unit cannot be asked.
	Answer func(ctx context.Context) error
	// At is the host:port of the unit; empty means the first declared port.
	At string
}

var _ chaos.Contained = (*Container)(nil)

// InspectFor bounds an engine query about a container without a deadline of its own.
const InspectFor = 10 * time.Second

// Now describes the container. It is an error if the container is protected, or if another container took its name and
// does not match.
func (c *Container) Now(ctx context.Context) (containers.Container, error) {
	is, err := c.Engine.Inspect(ctx, c.Ref)
	if err != nil {
		return is, fmt.Errorf("%s: %w", c.Name(), err)
	}
	if err := is.Protected(); err != nil {
		return is, err
	}
	if !c.Selected.IsZero() && !c.Selected.Matches(&is) {
		return is, fmt.Errorf("%s: container %s no longer matches %s", c.Name(), is.Name, c.Selected)
	}
	return is, nil
}

// Running describes the container, which must run and not be paused.
func (c *Container) Running(ctx context.Context) (containers.Container, error) {
	is, err := c.Now(ctx)
	switch {
	case err != nil:
		return is, err
	case !is.Running:
		return is, fmt.Errorf("%s does not run (%s), and not by this run", c.Name(), is.State)
	case is.Paused:
		return is, fmt.Errorf("%s is paused already, and not by this run", c.Name())
	}
	return is, nil
}

// Still checks that the container runs, and has not been restarted since it was described as was.
func (c *Container) Still(ctx context.Context, was containers.Container) error {
	is, err := c.Running(ctx)
	if err == nil && !is.Same(was.ID, was.Started) {
		err = fmt.Errorf("%s was started again meanwhile", c.Name())
	}
	return err
}

// Describe is Now with its own deadline.
func (c *Container) Describe() (containers.Container, error) {
	ctx, cancel := context.WithTimeout(context.Background(), InspectFor)
	defer cancel()
	return c.Now(ctx)
}

func (c *Container) Name() string { return c.Of.Unit }

func (c *Container) Service() string { return c.Of.Service }

// PID implements [chaos.Unit]: the pid of the container's first process on this machine. It is 0 if the engine's pids
// are not this machine's, because the engine is on another machine, in a virtual machine, or in another container: the
// process with that pid here must belong to the container.
func (c *Container) PID() int {
	is, err := c.Describe()
	if err != nil {
		return 0
	}
	return c.ProcessOf(is)
}

// ProcessOf returns the PID of a described container.
func (c *Container) ProcessOf(is containers.Container) int {
	if !c.Engine.Address().Local() || !IsOf(is.PID, is.ID) {
		return 0
	}
	return is.PID
}

func (c *Container) ContainerID() chaos.ContainerID {
	is, err := c.Describe()
	if err != nil {
		return chaos.ContainerID{}
	}
	return chaos.ContainerAt(is.ID, is.Started)
}

func (c *Container) Addresses() []netip.Addr {
	is, err := c.Describe()
	if err != nil {
		return nil
	}
	return is.Addresses()
}

// Addr returns At, or the first declared port at the container's own address or where the machine
// forwards it. It is "" if there is none.
func (c *Container) Addr() string {
	if c.At != "" {
		return c.At
	}
	is, err := c.Describe()
	if err != nil {
		return ""
	}
	for _, port := range is.Ports {
		if at, ok := is.Public[port]; ok {
			return at.String()
		}
		if addrs := is.Addresses(); len(addrs) > 0 {
			return netip.AddrPortFrom(addrs[0], uint16(port)).String()
		}
	}
	return ""
}

func (c *Container) Ready(ctx context.Context) error {
	if c.Check != nil {
		return c.Check(ctx)
	}
	is, err := c.Now(ctx)
	if err != nil {
		return err
	}
	return is.Healthy()
}

// Supervised implements [chaos.Unit]: the container's restart policy applies when its process crashes.
func (c *Container) Supervised() bool {
	is, err := c.Describe()
	return err == nil && is.Supervised()
}

func (c *Container) Stop(ctx context.Context, grace time.Duration) error {
	is, err := c.Now(ctx)
	if err != nil {
		return err
	}
	return c.Engine.Stop(ctx, is.ID, grace)
}

func (c *Container) Start(ctx context.Context) error {
	is, err := c.Now(ctx)
	if err != nil {
		return err
	}
	return c.Engine.Start(ctx, is.ID)
}

func (c *Container) Traits() chaos.UnitTraits {
	return chaos.UnitTraits{
		Contained: c, Addr: c.Addr, Ask: c.Answer, StartAgent: c.StartAgent,
		RemoveAgents: func(run string) chaos.Undo { return RemoveAgentsUndo(c.Engine, run) },
		EndAgent:     func(run string) chaos.Undo { return endAgentUndo(c.Engine, run, c.ContainerID()) },
	}
}

// IsGone reports whether an error says that the container no longer exists.
func IsGone(err error) bool { return errdefs.IsNotFound(err) }

// Of returns the container of a unit; ok is false for a unit that is in no container of an engine.
func Of(u chaos.Unit) (c *Container, ok bool) {
	c = Resolve(u).Container
	return c, c != nil
}

// ErrNoContainer says that a fault on containers was aimed at something else.
var ErrNoContainer = errors.New("it is not a container")
