package container

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"brunt/chaos"
	"brunt/targets/platform/docker"

	"github.com/containerd/errdefs"
)

// A Container is a unit that is a container of an engine: one that brunt made, or one
// that runs already and that a selector matches.
//
// It is meant by its name, so that one that Compose makes anew is the same unit. What is
// done to it is held against its id and the time of its start: a successor is never
// touched for what its predecessor had.
type Container struct {
	Engine *docker.Engine
	Ref    string // its name in the engine, or its id
	Of     Named
	// Selected is why a fault may touch the container: it must match still. The zero
	// Query is that brunt made it.
	Selected docker.Query
	// Check makes the unit's readiness check once; nil asks the engine for its health.
	Check func(ctx context.Context) error
}

var _ chaos.Contained = (*Container)(nil)

// InspectFor bounds a question about a container that has no deadline of its own.
const InspectFor = 10 * time.Second

// now describes the container as it is. A container that may not be touched is an error,
// and so is one that took its name and does not match.
func (c *Container) Now(ctx context.Context) (docker.Container, error) {
	is, err := c.Engine.Inspect(ctx, c.Ref)
	if err != nil {
		return is, fmt.Errorf("%s: %w", c.Name(), err)
	}
	if err := is.Protected(); err != nil {
		return is, err
	}
	if !c.Selected.IsZero() && !c.Selected.Matches(&is) {
		return is, fmt.Errorf("%s: container %s is none of %s any more", c.Name(), is.Name, c.Selected)
	}
	return is, nil
}

// Running describes the container, which must run and must not be paused.
func (c *Container) Running(ctx context.Context) (docker.Container, error) {
	is, err := c.Now(ctx)
	switch {
	case err != nil:
		return is, err
	case !is.Running:
		return is, fmt.Errorf("%s does not run (%s), and not by brunt", c.Name(), is.State)
	case is.Paused:
		return is, fmt.Errorf("%s is paused already, and not by brunt", c.Name())
	}
	return is, nil
}

// Still finds that the container goes on with the life in which it was found.
func (c *Container) Still(ctx context.Context, was docker.Container) error {
	is, err := c.Running(ctx)
	if err == nil && !is.Same(was.ID, was.Started) {
		err = fmt.Errorf("%s was started anew meanwhile", c.Name())
	}
	return err
}

func (c *Container) Asked() (docker.Container, error) {
	ctx, cancel := context.WithTimeout(context.Background(), InspectFor)
	defer cancel()
	return c.Now(ctx)
}

// Name implements [Unit].
func (c *Container) Name() string { return c.Of.Unit }

// Service implements [Unit].
func (c *Container) Service() string { return c.Of.Service }

// PID implements [Unit]: that of the container's first process, as this machine counts. It is
// NoMatch where the engine counts otherwise, being on another machine, in a virtual one, or seen
// from another container: what process has that number here must tell that it is the
// container's.
func (c *Container) PID() int {
	is, err := c.Asked()
	if err != nil {
		return 0
	}
	return c.ProcessOf(is)
}

// ProcessOf is the PID of the container as it was described.
func (c *Container) ProcessOf(is docker.Container) int {
	if !c.Engine.Address().Local() || !IsOf(is.PID, is.ID) {
		return 0
	}
	return is.PID
}

// Container implements [Contained].
func (c *Container) Container() (id string, started time.Time) {
	is, err := c.Asked()
	if err != nil {
		return "", time.Time{}
	}
	return is.ID, is.Started
}

// Addresses implements [Contained].
func (c *Container) Addresses() []netip.Addr {
	is, err := c.Asked()
	if err != nil {
		return nil
	}
	return is.Addresses()
}

// Addr implements [Addressed]: the first port that it says it listens on, at its own
// address, or where the machine forwards it. It is empty where there is none.
func (c *Container) Addr() string {
	is, err := c.Asked()
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

// Ready implements [Unit].
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

// Supervised implements [Unit]: its restart policy applies when its process crashes.
func (c *Container) Supervised() bool {
	is, err := c.Asked()
	return err == nil && is.Supervised()
}

// Stop implements [Unit].
func (c *Container) Stop(ctx context.Context, grace time.Duration) error {
	is, err := c.Now(ctx)
	if err != nil {
		return err
	}
	return c.Engine.Stop(ctx, is.ID, grace)
}

// Start implements [Unit].
func (c *Container) Start(ctx context.Context) error {
	is, err := c.Now(ctx)
	if err != nil {
		return err
	}
	return c.Engine.Start(ctx, is.ID)
}

// AskedContainer is a [Container] that can be asked for an answer of its own.
type AskedContainer struct {
	*inner
	Answer func(ctx context.Context) error
	At     string // host:port
}

// inner is a Container by a name that does not hide its method Container.
type inner = Container

var (
	_ chaos.Asker     = (*AskedContainer)(nil)
	_ chaos.Contained = (*AskedContainer)(nil)
)

// Asked has a container be asked for an answer at a host:port.
func Asked(c *Container, answer func(ctx context.Context) error, at string) *AskedContainer {
	return &AskedContainer{inner: c, Answer: answer, At: at}
}

// Ask implements [Asker].
func (c *AskedContainer) Ask(ctx context.Context) error { return c.Answer(ctx) }

// Addr implements [Addressed].
func (c *AskedContainer) Addr() string { return c.At }

// IsGone tells whether an error says that the container is no more.
func IsGone(err error) bool { return errdefs.IsNotFound(err) }

// ContainerOf gives the container that a unit is.
func ContainerOf(u chaos.Unit) (*Container, bool) {
	switch u := u.(type) {
	case *Container:
		return u, true
	case *AskedContainer:
		return u.inner, true
	}
	return nil, false
}

// ErrNoContainer tells that a fault of containers was aimed at something else.
var ErrNoContainer = errors.New("it is no container")
