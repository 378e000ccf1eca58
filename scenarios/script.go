package scenarios

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// A Script is a load made by a k6 script, which brunt-k6 runs. The script defines the iterations and, unless the
// scenario does, when they begin.
type Script struct {
	syntax.Place
	File string `yaml:"k6,required"` // the script, relative to the scenario
	// the one scenario of the script to run; zero is all
	Scenario string `yaml:"scenario"`
	// rate at which iterations begin; replaces the script's executor
	Rate quantity.Rate `yaml:"rate,positive"`
	// number of virtual users; replaces the script's executor; with rate, the number at the beginning
	VUs int `yaml:"vus,min=1"`
	// with rate, the maximum number of virtual users: an iteration for which none is free is the error `dropped`
	MaxVUs int `yaml:"max_vus,min=1"`
	// duration of the load; replaces the script's own: its stages are stretched or compressed
	Duration quantity.Duration `yaml:"duration,positive"`
	Start    quantity.Duration `yaml:"start"` // offset from t0
	// environment of the script, in __ENV; BRUNT_URL is always set to the target's URL
	Env map[string]template.Text `yaml:"env"`
	// further arguments of `k6 run`, such as --tag a=b; none that writes a file, sends something or changes the executor
	Args []string `yaml:"args"`
	// statuses with which the target sheds load; these requests are neither good nor errors
	Shed []int `yaml:"shed"`
	// maps a host or host:port to the address to use instead
	Resolve map[string]string `yaml:"resolve"`
}

// ScriptKey is the key that makes a load a script.
const ScriptKey = "k6"

// scriptArgs are the arguments of `k6 run` that a scenario may pass on, and whether a value follows. They neither write
// a file nor connect to anything, and brunt's measurement stays as it is.
var scriptArgs = map[string]bool{
	"--batch": true, "--batch-per-host": true, "--blacklist-ip": true, "--block-hostnames": true,
	"--compatibility-mode": true, "--discard-response-bodies": false, "--dns": true, "--http-debug": false,
	"--insecure-skip-tls-verify": false, "--log-format": true, "--max-redirects": true, "--min-iteration-duration": true,
	"--no-color": false, "--no-connection-reuse": false, "--no-vu-connection-reuse": false, "--quiet": false, "-q": false,
	"--rps": true, "--summary-time-unit": true, "--summary-trend-stats": true, "--tag": true, "--throw": false, "-w": false,
	"--user-agent": true, "--verbose": false, "-v": false,
}

// checkArgs notes each argument of a script that is not one of scriptArgs.
func (s *Script) checkArgs(m *syntax.Mistakes) {
	for i := 0; i < len(s.Args); i++ {
		name, _, joined := strings.Cut(s.Args[i], "=")
		value, known := scriptArgs[name]
		if !known {
			m.AddHint(s.Of("args"),
				"rate, vus, duration and env are keys of the load; thresholds, tags and the rest belong into the script; args "+
					"takes "+strings.Join(slices.Sorted(maps.Keys(scriptArgs)), ", "),
				"the argument %s is not one that a scenario may pass to k6", syntax.Clip(name, 60))
		}
		if value && !joined {
			i++ // its value
		}
	}
}

// script decodes a load that is a script.
func (p *files) script(l *Load, f syntax.Field) {
	s := &Script{}
	own, native := syntax.Keys(*s), syntax.Keys(*l)
	of := func(key string) bool { return !slices.Contains(own, key) && slices.Contains(native, key) }
	for _, sub := range f.Value.Fields {
		if of(sub.Key) {
			p.m.AddHint(sub.Pos,
				"the script says how its iterations begin and what they do; rate, vus and duration stand for its "+
					"executor", "`%s` can't stand beside k6", sub.Key)
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
	s.checkArgs(p.m)
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

// Beside resolves a file name written at a place of the scenario. A relative name is relative to
// the file that contains it.
func (s *Scenario) Beside(at syntax.Pos, name string) (string, error) {
	if s.Origin.files == nil {
		return "", fmt.Errorf("%s: the scenario was not read from a file", name)
	}
	return s.Origin.files.beside(at, name), nil
}
