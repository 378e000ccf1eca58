// This file finds the containers and pods that brunt did not start: those that the target names, and those that a
// fault selects. No other part of a plan asks a Docker engine or a cluster.
//
//	f := NewContainers(p)
//	defer f.Close()
//	err := f.Choose(ctx) // finds the containers or pods that the target names
//	found, err := f.Find(ctx, q) // finds the containers that a fault selects

package dryrun

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/container"
	"brunt/chaos/kube"
	"brunt/chaos/protect"
	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// Containers finds the containers of a plan that brunt did not start. It opens the engine at first
// use.
type Containers struct {
	plan   *plan.Plan
	chosen []chaos.Unit    // running containers, by the names that the target gives them, or pods
	zones  chaos.Zones     // zones that include the chosen units; nil means the plan's
	pods   *cluster.Target // the services of a cluster; nil if the target names none, or before Choose has found them

	mu     sync.Mutex // guards client, engine and found
	client *docker.Engine
	engine *docker.Engine // the client, when the engine has answered
	found  []string       // names of containers that faults have selected
}

// NewContainers prepares to find the containers of a plan. Close closes the engine.
func NewContainers(p *plan.Plan) *Containers { return &Containers{plan: p} }

// Open connects to the engine of the containers and checks that it answers.
func (c *Containers) Open(ctx context.Context) (*docker.Engine, error) {
	e, err := c.prepare()
	if err != nil {
		return nil, err
	}
	// The lock is not held, so that others can ask in the meantime, each with a context of its own.
	if err := e.Ping(ctx); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.engine = e
	return e, nil
}

// prepare returns the client of the engine. At the first call it has not connected yet.
func (c *Containers) prepare() (*docker.Engine, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.client != nil {
		return c.client, nil
	}
	at, err := containers.FindEngine(c.plan.Getenv)
	if err != nil {
		return nil, err
	}
	c.client, err = docker.Open(at, docker.Options{Check: c.plan.ChaosAllowlist.Check})
	return c.client, err
}

// Engine returns the engine that Open has opened; nil if there is none.
func (c *Containers) Engine() *docker.Engine {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.engine
}

// Close closes the engine, if it was opened.
func (c *Containers) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pods != nil {
		c.pods.Close()
	}
	if c.client == nil {
		return nil
	}
	return c.client.Close()
}

// Find finds containers that brunt did not start.
func (c *Containers) Find(ctx context.Context, q containers.Query) ([]chaos.Found, error) {
	found, e, err := c.list(ctx, q)
	return container.Outside(e, found, q), err
}

// list lists containers of the engine, and records that they were found.
func (c *Containers) list(ctx context.Context, q containers.Query) ([]containers.Container, *docker.Engine, error) {
	e, err := c.Open(ctx)
	if err != nil {
		return nil, nil, err
	}
	found, err := e.List(ctx, q)
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range found {
		c.found = append(c.found, found[i].Name)
	}
	return found, e, err
}

// Selected reports whether a fault has named a container, or a selector has found it.
func (c *Containers) Selected(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.found, func(f string) bool { return strings.EqualFold(f, name) })
}

// Choose finds the containers or the pods that the target names.
func (c *Containers) Choose(ctx context.Context) error {
	if k := c.plan.Scenario.Target.Kubernetes; k != nil && c.pods == nil {
		if err := c.choosePods(ctx, k); err != nil {
			return err
		}
	}
	if !c.plan.Contained {
		return nil
	}
	if _, err := c.Open(ctx); err != nil { // fail before any fault is injected
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(c.plan.Containers)) {
		one := c.plan.Containers[name]
		found, e, err := c.list(ctx, one.Query())
		if err != nil {
			return err
		}
		if len(found) == 0 && c.plan.Scenario.Guard.OnNoUnit != "skip" {
			return fmt.Errorf("%s: %w %s", name, chaos.ErrNoUnit, one.Query())
		}
		for i := range found {
			if err := c.plan.CheckProtected(chaos.ContainerName(found[i].Name)); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		for i, u := range one.Units(name, e, found) {
			c.chosen = append(c.chosen, u)
			if len(one.Zones) > 0 {
				if c.zones == nil {
					c.zones = chaos.Zones{}
				}
				c.zones[u.Name()] = one.Zones[i%len(one.Zones)]
			}
		}
	}
	return nil
}

// choosePods finds the pods of the workloads that the target names.
func (c *Containers) choosePods(ctx context.Context, k *scenarios.Kubernetes) error {
	rights := plan.PodRights(k, c.plan.Scope, c.plan.Parts())
	client, at, err := cluster.Connect(ctx, kube.Address{Context: k.Context, Namespace: k.Namespace}, rights...)
	if err != nil {
		return plan.ExplainRights(err, k, c.plan.Scope, c.plan.Parts())
	}
	found, err := cluster.Find(ctx, client, at, k)
	if err != nil {
		client.Close()
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pods, c.chosen, c.zones = found, found.Units(), found.Zones()
	return nil
}

// Pods returns the services of a cluster that Choose has found; nil if there are none.
func (c *Containers) Pods() *cluster.Target {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pods
}

// Guard returns a guard that refuses units and containers that the plan's policies or the labels of containers
// protect.
func (c *Containers) Guard() *protect.Guard {
	rules := protect.Rules{
		Named: c.plan.CheckProtected, Engine: c.Open, Nodes: []map[string]string{c.plan.Scenario.Guard.Allow.Nodes},
	}
	for _, p := range c.plan.Policies {
		rules.Containers = append(rules.Containers, p.Protect.Containers...)
		if policy := p.Allow.Nodes; policy != nil {
			rules.Nodes = append(rules.Nodes, policy)
		}
		rules.Namespaces = append(rules.Namespaces, p.Protect.Namespaces...)
		for key, value := range p.Protect.Labels {
			rules.Labels = append(rules.Labels, [2]string{key, value})
		}
	}
	return protect.New(rules)
}

// Units returns the containers that Choose has found, as units.
func (c *Containers) Units() []chaos.Unit { return c.chosen }

// Zones returns the zones of the chosen containers, or those of the plan.
func (c *Containers) Zones() chaos.Zones {
	if c.zones != nil {
		return c.zones
	}
	return c.plan.Scope.Zones
}
