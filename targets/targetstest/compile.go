package targetstest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
)

// A Flow holds compiled steps, like a scenario's.
type Flow struct {
	Calls    []scenarios.Call
	Protocol *targets.Descriptor
	Checks   []string // names of checks and extractions, by the index in a cause
	Vars     []string // names of variables by slot
	Env      *template.Env
	Shared   *targets.Shared // common to all steps
}

// Causes returns the names of the causes of the calls.
func (f *Flow) Causes() scenarios.Causes {
	return scenarios.Causes{Checks: f.Checks, Families: f.Protocol.Causes}
}

// Compile compiles steps written as YAML, one string each. Extra holds further top-level lines of the scenario, such
// as data and params.
func Compile(t testing.TB, p *targets.Descriptor, extra string, steps ...string) *Flow {
	t.Helper()
	f, err := Try(p, extra, steps...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Try is [Compile] for steps with mistakes. The error lists every mistake.
func Try(p *targets.Descriptor, extra string, steps ...string) (*Flow, error) {
	var b strings.Builder
	b.WriteString("version: 1\ntarget: {url: \"http://127.0.0.1:1\"}\n" + extra +
		"\nload:\n  a:\n    executor: constant-vus\n    vus: 1\n    duration: 1s\n    flow:\n")
	for _, s := range steps {
		b.WriteString("      - " + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n        ") + "\n")
	}
	sc, err := scenarios.Parse("s.yaml", scenarios.Options{Read: func(path string) ([]byte, error) {
		if path == "s.yaml" {
			return []byte(b.String()), nil
		}
		return os.ReadFile(path)
	}})
	if sc == nil {
		return nil, err
	}
	m := sc.Mistakes()
	f := &Flow{Protocol: p, Env: &template.Env{Tables: sc.Tables, Units: map[string]string{}}, Shared: new(targets.Shared)}
	if len(sc.Loads) == 1 && len(sc.Loads[0].Mix) == 1 {
		for i := range sc.Loads[0].Mix[0].Flow {
			s := &sc.Loads[0].Mix[0].Flow[i]
			if s.With == nil {
				continue
			}
			if block, ok := s.Block(p.Kinds, m, p.Beside...); ok {
				call, _ := p.Compile(block, targets.Scope{
					Symbols: sc.Symbols, Name: s.Name, Checks: &f.Checks, File: sc.Read, Secret: sc.Secrets.Add,
					Auth: sc.Loads[0].Auth, Sign: sc.Loads[0].Sign, Shared: f.Shared, Timeout: sc.Loads[0].Timeout.D(),
				}, m)
				f.Calls = append(f.Calls, call)
			}
		}
	}
	for _, table := range sc.Tables {
		table.Start(1)
	}
	f.Vars = sc.Symbols.Vars()
	if e, ok := errors.AsType[*syntax.MistakesError](m.Err()); ok {
		var list []error
		for _, one := range e.List() {
			list = append(list, errors.New(one.String()))
		}
		return f, errors.Join(list...)
	}
	return f, nil
}

// A User is a session with the iteration state that its calls need.
type User struct {
	targets.Session
	It   template.Iter
	flow *Flow
	t0   time.Time
}

// Open opens a session of c as virtual user vu, for the calls of f. T0 is the start of the client's clock.
func (f *Flow) Open(t testing.TB, c targets.Client, t0 time.Time, vu int) *User {
	t.Helper()
	s, err := c.Open(vu)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing a session: %v", err)
		}
	})
	u := &User{Session: s, flow: f, t0: t0}
	u.It = template.Iter{
		VU: vu, Rand: rand.New(rand.NewPCG(1, uint64(vu))), Vars: make([]template.Value, len(f.Vars)), Env: f.Env,
	}
	u.It.Reset()
	return u
}

// Do makes call i now, with the timeout.
func (u *User) Do(i int, timeout time.Duration) scenarios.Outcome {
	return u.At(i, time.Since(u.t0), timeout)
}

// At makes call i with the intended time at.
func (u *User) At(i int, at, timeout time.Duration) scenarios.Outcome {
	u.It.Intended, u.It.Deadline = at, at+timeout
	out := scenarios.Outcome{Step: int32(i), Intended: at, Ready: max(at, time.Since(u.t0))}
	u.Session.Do(&u.It, u.flow.Calls[i], &out)
	out.Ready = min(out.Ready, out.End) // like package load
	return out
}

// Var returns the value that an extraction stored in a variable. A JSON literal begins with a colon.
func (u *User) Var(name string) string {
	for i, n := range u.flow.Vars {
		if n == name {
			switch v := u.It.Vars[i]; {
			case !v.Set:
				return "unset"
			case v.JSON:
				return ":" + string(v.Text)
			default:
				return string(v.Text)
			}
		}
	}
	return fmt.Sprintf("no variable %q", name)
}
