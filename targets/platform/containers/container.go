package containers

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// A Container is the state of one container according to the engine.
type Container struct {
	ID       string
	Name     string // without the leading slash
	Image    string // as it was requested
	ImageID  string
	State    string // created, running, paused, restarting, exited, dead
	Running  bool   // true for paused containers too
	Paused   bool
	OOM      bool // the kernel killed it because it was out of memory
	Exit     int  // its last exit code
	PID      int  // of its first process, in the PID namespace of the engine's machine; 0: none
	Made     time.Time
	Started  time.Time // the last start
	Health   string    // starting, healthy, unhealthy; empty if it has no check
	Restart  string    // policy: no, always, on-failure, unless-stopped
	Shares   string    // the network that it shares: host, or container:ID; empty if it has its own
	Removed  bool      // the engine removes it when it ends
	Restarts int       // restarts by the policy
	Labels   map[string]string
	Networks []Network
	Ports    []int                  // exposed TCP ports, ascending
	Public   map[int]netip.AddrPort // addresses of the machine that forward to them
	Agent    bool                   // one of brunt's own agents
}

// A Network is the membership of a container in a network.
type Network struct {
	ID       string
	Name     string
	Endpoint string     // id of the link; it changes with each connection
	Address  netip.Addr // the zero Addr if it has none at the moment
	Address6 netip.Addr
}

// AgentOf returns the value of the agent label, whichever version of brunt set it.
func (c *Container) AgentOf() (value string, ok bool) {
	for _, label := range []string{AgentLabel, OldAgentLabel} {
		if value, ok = c.Labels[label]; ok {
			break
		}
	}
	return value, ok
}

// WatchdogRun returns the run whose faults the container reverts, if it is a watchdog.
func (c *Container) WatchdogRun() (run string, ok bool) {
	value, _ := c.AgentOf()
	for _, prefix := range []string{WatchdogOf(""), OldWatchdogOf} {
		if run, ok = strings.CutPrefix(value, prefix); ok {
			return run, run != ""
		}
	}
	return "", false
}

// Supervised reports whether the engine restarts the container after a crash.
func (c *Container) Supervised() bool {
	return c.Restart != "" && c.Restart != "no"
}

// Protected returns why no fault may affect the container, or nil if faults may.
func (c *Container) Protected() error {
	switch {
	case c.Labels[ProtectLabel] == "true":
		return fmt.Errorf("container %s is labelled %s=true: brunt does not touch it; without that label it may be hit",
			c.Name, ProtectLabel)
	case c.Agent:
		return fmt.Errorf("container %s is brunt's own agent", c.Name)
	case c.ID == Self():
		return fmt.Errorf("container %s is the one that brunt runs in", c.Name)
	}
	return nil
}

// Same reports whether the container has the id and has not been restarted since it was started at started.
func (c *Container) Same(id string, started time.Time) bool {
	return c.ID == id && c.Started.Equal(started)
}

// Addresses lists the container's addresses in its networks.
func (c *Container) Addresses() []netip.Addr {
	var out []netip.Addr
	for _, n := range c.Networks {
		for _, a := range []netip.Addr{n.Address, n.Address6} {
			if a.IsValid() {
				out = append(out, a)
			}
		}
	}
	return out
}

// Healthy returns why the container is not up, or nil if it is.
func (c *Container) Healthy() error {
	switch {
	case !c.Running:
		return fmt.Errorf("it does not run: %s", c.State)
	case c.Paused:
		return errors.New("it is paused")
	case c.Health != "" && c.Health != "healthy":
		return fmt.Errorf("its health check says %s", c.Health)
	}
	return nil
}
