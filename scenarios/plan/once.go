package plan

import (
	"time"

	"brunt/chaos/probe"
	"brunt/scenarios"
	"brunt/scenarios/load"
)

// An OncePart is a part of setup or teardown: a command, or requests that follow one another.
type OncePart struct {
	Command *probe.Once // nil for requests
	Steps   []load.Step
}

// once compiles the steps of setup or teardown. It returns them in parts, and their requests together.
func (c *stepCompiler) once(steps []scenarios.Step, l *scenarios.Load) (parts []OncePart, all []load.Step) {
	var requests []scenarios.Step
	flush := func() {
		if len(requests) > 0 {
			some, _ := c.compile(requests, unmeasured, l)
			parts, all, requests = append(parts, OncePart{Steps: some}), append(all, some...), nil
		}
	}
	for _, s := range steps {
		if s.Command == nil {
			requests = append(requests, s)
			continue
		}
		flush()
		o := new(probe.Once)
		if decoded(s.Command, o, c.m) {
			o.Check(c.m)
			parts = append(parts, OncePart{Command: o})
		}
	}
	flush()
	return parts, all
}

// Commands lists the commands of setup and teardown.
func (p *Plan) Commands() []*probe.Once {
	var out []*probe.Once
	for _, parts := range [][]OncePart{p.SetupParts, p.TeardownParts} {
		for _, part := range parts {
			if part.Command != nil {
				out = append(out, part.Command)
			}
		}
	}
	return out
}

// teardownMost is the time limit of teardown, unless the timeouts of its parts add up to more.
const teardownMost = 10 * time.Minute

// TeardownLimit returns the time limit of the whole teardown: at least the time that its commands, requests and
// pauses may take one after the other.
func (p *Plan) TeardownLimit() time.Duration {
	sum := time.Duration(0)
	for _, part := range p.TeardownParts {
		if part.Command != nil {
			sum += part.Command.Limit()
		}
		for _, s := range part.Steps {
			if s.Call != nil {
				sum += scenarios.DefaultTimeout
			} else {
				sum += s.Think.Max
			}
		}
	}
	return max(teardownMost, sum)
}
