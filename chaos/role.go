package chaos

import (
	"fmt"
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

// A RoleQuestion says how units are asked for their role.
type RoleQuestion interface {
	// AsksStep returns the step that asks a unit; nil if it is asked in another way.
	AsksStep() *syntax.Node
	// Runs reports whether a unit is asked by a command.
	Runs() bool
	// Of returns the position of a key of the question in the scenario.
	Of(key string) syntax.Pos
}

// A NotPassedError says that a step was answered and its check failed. Said is the answer, which counts as no.
type NotPassedError struct{ Said string }

func (e *NotPassedError) Error() string { return e.Said }

// A LeaderError says that not exactly one unit answers that it leads. It is an [ErrNoUnit].
type LeaderError struct{ Err error }

func (e LeaderError) Error() string { return fmt.Sprintf("%v: %v", ErrNoUnit, e.Err) }

// Unwrap returns ErrNoUnit and the answers.
func (e LeaderError) Unwrap() []error { return []error{ErrNoUnit, e.Err} }

// Roles notes the roles that units had when a fault picked them. The zero value is empty.
type Roles struct {
	mu  sync.Mutex
	of  map[string]role
	led string
}

type role struct{ name, said string }

// Note notes the role of a unit, and its answer.
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

// NoteLeader notes the unit that led, whether the fault hits it or not.
func (r *Roles) NoteLeader(unit string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.led = unit
}

// Leader returns the unit that led. It is empty if no unit was asked, or if none led.
func (r *Roles) Leader() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.led
}

// Of returns the role that all of the units had, and the answer of the first. A link counts as both of its units. The
// role is empty if no unit was asked, if one is unknown, or if the roles differ.
func (r *Roles) Of(units []string) (name, said string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, unit := range units {
		for end := range strings.SplitSeq(unit, LinkArrow) {
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
	of map[string][]string // unit names, by the description of the set that they were picked from
}

// Kept returns the units that an earlier plan picked. ok is false if a plan is to pick as if it were the first.
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

// Note notes the units that a plan has picked from the set that what describes.
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
