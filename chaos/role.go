package chaos

import (
	"slices"
	"strings"
	"sync"

	"brunt/scenarios/syntax"
)

// The roles of a unit that a fault can be aimed at.
const (
	RoleLeader   = "leader"   // the one unit that leads
	RoleFollower = "follower" // a unit that answered, and does not lead
	RoleUnknown  = "unknown"  // a unit that did not answer, and is not the leader
)

// A RoleQuestion is how units are asked for their role.
type RoleQuestion interface {
	// AsksStep returns the step that asks a unit; nil if it is asked in another way.
	AsksStep() *syntax.Node
	// Runs reports whether a unit is asked by a command.
	Runs() bool
	// Of returns the position of a key of the question.
	Of(key string) syntax.Pos
}

// A NotPassedError is the error of a step that was answered, and whose check failed: the answer no.
type NotPassedError struct{ Said string }

func (e *NotPassedError) Error() string { return e.Said }

// Roles are the roles that units had when a fault picked them. The zero value knows none.
type Roles struct {
	mu sync.Mutex
	of map[string]role
}

type role struct{ name, said string }

// Note notes the role of a unit, and what it answered.
func (r *Roles) Note(unit, name, said string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of == nil {
		r.of = map[string]role{}
	}
	r.of[unit] = role{name, said}
}

// Of returns the role that all of the units had, a link being at both of its units, and the answer of the first.
// The role is empty where none of the units was asked, or their roles differ.
func (r *Roles) Of(units []string) (name, said string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, unit := range units {
		for end := range strings.SplitSeq(unit, "->") {
			switch is, asked := r.of[end]; {
			case !asked:
			case is.name == RoleUnknown:
				return "", ""
			case name == "":
				name, said = is.name, is.said
			case name != is.name:
				return "", ""
			}
		}
	}
	return name, said
}

// A Choice notes which units an occurrence has picked, so that a later plan picks the same. It is safe for concurrent
// use.
type Choice struct {
	Again bool // a later plan picks the same units

	mu sync.Mutex
	of map[string][]string // names, by the description of what was picked from
}

// Kept returns the units that an earlier plan picked; ok is false where a plan picks as if it were the first.
func (c *Choice) Kept(what string, units []Unit) (kept []Unit, ok bool) {
	if c == nil {
		return nil, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	names, ok := c.of[what]
	if !ok || !c.Again {
		return nil, false
	}
	return slices.DeleteFunc(slices.Clone(units), func(u Unit) bool { return !slices.Contains(names, u.Name()) }), true
}

// Note notes what a plan has picked.
func (c *Choice) Note(what string, units []Unit) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string][]string{}
	}
	for _, u := range units {
		if !slices.Contains(c.of[what], u.Name()) {
			c.of[what] = append(c.of[what], u.Name())
		}
	}
}

// Has reports whether a unit was picked.
func (c *Choice) Has(unit string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, names := range c.of {
		if slices.Contains(names, unit) {
			return true
		}
	}
	return false
}
