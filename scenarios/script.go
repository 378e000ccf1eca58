package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// A Script is a load that is a script of k6, run by brunt-k6: the script says what an
// iteration does, and, where the scenario does not, how iterations begin.
type Script struct {
	syntax.Place
	File     string                           `yaml:"k6,required"`       // the script, beside the scenario
	Scenario string                           `yaml:"scenario"`          // the one scenario of the script that is run; zero is all
	Rate     quantity.Rate                    `yaml:"rate,positive"`     // iterations begin at this rate, instead of by the script's executor
	VUs      int                              `yaml:"vus,min=1"`         // so many virtual users, instead of the script's executor; with rate, so many at first
	MaxVUs   int                              `yaml:"max_vus,min=1"`     // with rate, so many at most: an iteration that finds none free is an error `dropped`
	Duration quantity.Duration                `yaml:"duration,positive"` // instead of the script's own; stages are drawn out or pressed together
	Start    quantity.Duration                `yaml:"start"`             // offset from t0
	Env      map[string]template.TextTemplate `yaml:"env"`               // for __ENV; BRUNT_URL is the target's
	Args     []string                         `yaml:"args"`              // more arguments of `k6 run`, such as --tag a=b
	Shed     []int                            `yaml:"shed"`              // statuses by which the target refuses on purpose: not good, not an error
	Resolve  map[string]string                `yaml:"resolve"`           // host or host:port to the address used instead
}

// ScriptKey is the key that makes a load a script.
const ScriptKey = "k6"

// argsOfBrunt are arguments of k6 that would take from brunt what it measures by, or
// what keys of the load say.
var argsOfBrunt = []string{
	"--out", "-o", "--no-summary", "--summary-mode", "--summary-export", "--no-thresholds", "--no-setup", "--no-teardown", "--paused", "--linger", "--address", "-a",
	"--system-tags", "--vus", "-u", "--duration", "-d", "--iterations", "-i", "--stage", "-s", "--execution-segment", "--execution-segment-sequence",
	"--env", "-e", "--config", "-c", "--local-ips", "--include-system-env-vars", "--log-output",
}

// script reads a load that is a script.
func (p *files) script(l *Load, f syntax.Field) {
	s := &Script{}
	own, native := syntax.Keys(*s), syntax.Keys(*l)
	of := func(key string) bool { return !slices.Contains(own, key) && slices.Contains(native, key) }
	for _, sub := range f.Value.Fields {
		if of(sub.Key) {
			p.m.AddHint(sub.Pos, "the script says how its iterations begin and what they do; rate, vus and duration stand for its executor", "`%s` can't stand beside k6", sub.Key)
		}
	}
	syntax.Decode(f.Value.Without(of), s, p.m)
	l.Place, l.Script, l.Executor, l.Start, l.Resolve = s.Place, s, ScriptKey, s.Start, s.Resolve
	l.Timeout, l.Grace = quantity.Duration(DefaultTimeout), quantity.Duration(DefaultGrace)
	if s.VUs > 0 && s.MaxVUs > 0 && s.MaxVUs < s.VUs {
		p.m.Add(s.Of("max_vus"), "max_vus %d is less than vus %d", s.MaxVUs, s.VUs)
	}
	if s.MaxVUs > 0 && s.Rate == 0 {
		p.m.Add(s.Of("max_vus"), "max_vus goes with rate; without it vus says how many there are")
	}
	for _, a := range s.Args {
		name, _, _ := strings.Cut(a, "=")
		if slices.Contains(argsOfBrunt, name) || len(a) > 2 && a[0] == '-' && a[1] != '-' && slices.Contains(argsOfBrunt, a[:2]) {
			p.m.AddHint(s.Of("args"), "rate, vus, duration and env are keys of the load; thresholds, tags and the rest belong into the script", "the argument %s is brunt's own to give", name)
		}
	}
	for name, v := range s.Env {
		if name == "" || strings.ContainsAny(name, "=\x00") {
			p.m.Add(s.Of("env"), "%q can't name a variable of the environment", syntax.Clip(name, 40))
		}
		for _, r := range v.Refs() {
			if r.Kind == syntax.RefVar || r.Kind == syntax.RefData {
				p.m.Add(v.At, "${%s} has a value for each request, and the environment is for all of them", r.Text)
			}
		}
	}
}

// Beside resolves the name of a file that stands at a place of the scenario: a relative
// one is beside the file that names it.
func (s *Scenario) Beside(at syntax.Pos, name string) (string, error) {
	if s.files == nil {
		return "", fmt.Errorf("%s: the scenario was not read from a file", name)
	}
	return s.files.beside(at, name), nil
}
