// Package programme answers, from the runs on file, for those who must show that a system is tested again and again:
// what was last proved and on which build, what is overdue, what failed and which later run closed it, and what was
// never tried.
//
//	runs on file, cadences of policies, a time --Of--> Programme -> page, terminal, JSON
//
// It decides by typed data alone, and states nothing about any standard.
package programme

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

// A Run is a run on file. Of its result only the head, faults, objectives and units are needed.
type Run struct {
	Folder   string // its folder, as the list of runs names it
	Link     string // to its page; empty without one
	Result   *result.Result
	Attested []Attestation
}

// An Attestation is what a person stated about a run after it.
type Attestation struct {
	By      string    `json:"by"`                // the name in it
	At      time.Time `json:"at"`                // when, by the clock of the signer
	States  string    `json:"states"`            // what the person states
	Key     string    `json:"key,omitempty"`     // fingerprint of the key; empty if the signature is not valid
	Problem string    `json:"problem,omitempty"` // why it does not count; empty if it is valid
}

// A Cadence says how long a proof counts.
type Cadence struct {
	Pattern string        // name of scenarios or drills, in which * stands for any text
	Every   time.Duration // from the end of the run that proved
}

// A Programme is the state of all scenarios on file at a time. It encodes to JSON, version 1.
type Programme struct {
	Version   int        `json:"version"`           // version of this format: 1
	At        time.Time  `json:"at"`                // the time that it is about; what is later is left out
	Scenarios []Scenario `json:"scenarios"`         // those that want attention first
	Failures  []Failure  `json:"failures"`          // runs that failed, the newest first
	Claims    []Claim    `json:"claims,omitempty"`  // findings that runs close, of which no failed run is on file
	Untried   []Untried  `json:"untried,omitempty"` // ways to fail that no run tried, by system
}

// A State is the state of a scenario.
type State string

// The states of a scenario, the most urgent first.
const (
	Failed   State = "failed"   // it failed, and no later run passed or closed that
	Never    State = "never"    // a cadence names it, and no run of it is on file
	Unproved State = "unproved" // it was run, and no run passed
	Overdue  State = "overdue"  // the last proof is older than its cadence
	Proved   State = "proved"   // it passed, within its cadence if it has one
)

var states = []State{Failed, Never, Unproved, Overdue, Proved}

// A Scenario is a scenario or drill, with its last proof.
type Scenario struct {
	Name    string     `json:"name"`              // its name; for state never, the pattern of the cadence
	State   State      `json:"state"`             // its state
	Cadence result.Num `json:"cadence"`           // seconds for which a proof counts; null: no cadence names it
	Pattern string     `json:"pattern,omitempty"` // the pattern that names it; of several, that of the shortest cadence
	Runs    int        `json:"runs"`              // number of runs on file, without control runs
	Proof   *Ref       `json:"proof,omitempty"`   // newest run that passed
	Last    *Ref       `json:"last,omitempty"`    // newest run
	// newest run with a valid attestation; absent if no person attested one
	Reviewed *Ref       `json:"reviewed,omitempty"`
	Due      *time.Time `json:"due,omitempty"`  // when the next proof is due
	Near     string     `json:"near,omitempty"` // of state never: a name on file that the pattern may mean
}

// A Ref names a run.
type Ref struct {
	Run      string            `json:"run"`                // its id
	Folder   string            `json:"folder"`             // its folder
	Name     string            `json:"name"`               // name of the scenario
	Verdict  scenarios.Verdict `json:"verdict"`            // its verdict
	Started  time.Time         `json:"started"`            // when it began
	Ended    time.Time         `json:"ended"`              // when its verdict was known
	Build    []Part            `json:"build,omitempty"`    // software of the target; empty: unknown, as for a URL
	Meta     scenarios.Meta    `json:"meta,omitempty"`     // operator, approver, ticket, closes and others
	Faults   []Fault           `json:"faults,omitempty"`   // what was tried
	Attested []Attestation     `json:"attested,omitempty"` // who looked at it

	Link   string         `json:"-"`
	Result *result.Result `json:"-"`
}

// A Part is the software of a service.
type Part struct {
	Service string `json:"service"`
	Image   string `json:"image,omitempty"` // image, as the target names it
	SHA256  string `json:"sha256"`          // of the image, or of the program, in hex
}

// A Fault is a fault of a run: what was expected, and what came.
type Fault struct {
	Name   string              `json:"name"`
	Kind   string              `json:"kind"`
	Hit    []string            `json:"hit,omitempty"` // units or links
	Impact result.Impact       `json:"impact"`
	Expect *result.Expectation `json:"expect,omitempty"`
}

// A Failure is a run that failed, and what followed.
type Failure struct {
	Ref
	Reason      string   `json:"reason"`                 // why it failed
	Objectives  []string `json:"objectives,omitempty"`   // texts of the objectives that failed
	State       Followed `json:"state"`                  // what followed
	ClosedBy    *Ref     `json:"closed_by,omitempty"`    // the first later run that passed and closes it by `closes`
	PassedSince *Ref     `json:"passed_since,omitempty"` // the first later run of the scenario that passed
	NotClosed   []Ref    `json:"not_closed,omitempty"`   // later runs that say that they close it, and did not pass
}

// Followed says what followed a failure.
type Followed string

// What followed a failure.
const (
	Open   Followed = "open"         // no later run passed
	Passed Followed = "passed_since" // the scenario passed later, and no run says that it closes the failure
	Closed Followed = "closed"       // a later run passed, and says that it closes the failure
)

// A Claim is a finding that a run closes by `closes`, of which no failed run is on file.
type Claim struct {
	Finding string `json:"finding"`
	By      Ref    `json:"by"` // the run; it counts only if it passed
}

// An Untried lists the ways to fail of a system that no run tried.
type Untried struct {
	System  string        `json:"system"`
	Parts   []UntriedPart `json:"parts,omitempty"`   // services and links that lack an effect
	Effects []string      `json:"effects,omitempty"` // effects that no part was tried under
	Modes   int           `json:"modes"`             // number of ways to fail of its services and links
	Held    int           `json:"held"`              // of these, those on which every objective held
	Failed  int           `json:"failed"`            // of these, those on which one failed
}

// An UntriedPart is a service, one replica of a service, or a link of a system, with the effects that no run tried
// on it.
type UntriedPart struct {
	Name    string   `json:"name"`          // the service, such as store, or the link, such as api->store
	One     bool     `json:"one,omitempty"` // one replica of the service, which has several
	Effects []string `json:"effects"`
}

// Of returns the programme of runs at a time. Of several cadences that name a scenario, the shortest counts.
func Of(runs []Run, cadences []Cadence, at time.Time) *Programme {
	p := &Programme{Version: 1, At: at.UTC().Truncate(time.Second), Scenarios: []Scenario{}, Failures: []Failure{}}
	runs = slices.DeleteFunc(slices.Clone(runs), func(r Run) bool {
		return r.Result.Control || r.Result.Started.After(at)
	})
	slices.SortStableFunc(runs, func(a, b Run) int {
		return cmp.Or(a.Result.Started.Compare(b.Result.Started), cmp.Compare(a.Folder, b.Folder))
	})
	refs := make([]Ref, len(runs))
	for i := range runs {
		refs[i] = refOf(&runs[i], at)
	}
	p.failures(refs)
	p.scenarios(refs, cadences)
	return p
}

// refOf returns the reference to a run.
func refOf(r *Run, at time.Time) Ref {
	res := r.Result
	ref := Ref{
		Run: res.Run, Folder: r.Folder, Name: res.Name, Verdict: res.Verdict, Started: res.Started.UTC(),
		Ended: res.Ended.UTC(), Meta: res.Meta, Link: r.Link, Result: res,
	}
	for _, u := range res.Environment.Units {
		part := Part{Service: u.Service, Image: u.Image, SHA256: strings.TrimPrefix(u.ImageID, "sha256:")}
		if part.SHA256 == "" && len(u.Programs) > 0 {
			part.SHA256 = u.Programs[0].SHA256
		}
		if part.SHA256 != "" && !slices.Contains(ref.Build, part) {
			ref.Build = append(ref.Build, part)
		}
	}
	for i := range res.Faults {
		f := &res.Faults[i]
		ref.Faults = append(ref.Faults, Fault{f.Name, f.Kind, f.Hit(), f.Impact, f.Expect})
	}
	for _, a := range r.Attested {
		if !a.At.After(at) {
			ref.Attested = append(ref.Attested, a)
		}
	}
	return ref
}

// isFailure reports whether a verdict says that the target failed. Invalid and interrupted runs say nothing of it.
func isFailure(v scenarios.Verdict) bool {
	return slices.Contains([]scenarios.Verdict{
		scenarios.Fail, scenarios.NotReverted, scenarios.Stopped, scenarios.Regression,
	}, v)
}

// tokens splits the value of a key of meta into findings.
func tokens(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == ';' })
}

// closes returns the findings by which a run closes a failure: its id, its folder or one of its tickets.
func (r *Ref) closes(failed *Ref) []string {
	known := append(tokens(failed.Meta["ticket"]), failed.Run, failed.Folder)
	return slices.DeleteFunc(tokens(r.Meta["closes"]), func(finding string) bool {
		return !slices.ContainsFunc(known, func(name string) bool { return strings.EqualFold(name, finding) })
	})
}

// failures finds the runs that failed and what followed, and the claims without such a run.
func (p *Programme) failures(refs []Ref) {
	matched := map[[2]string]bool{} // folder of a run, and a finding that it closes
	for i := range refs {
		if !isFailure(refs[i].Verdict) {
			continue
		}
		f := Failure{Ref: refs[i], Reason: refs[i].Result.Reason, State: Open}
		for _, o := range refs[i].Result.Objectives {
			if o.Verdict == scenarios.Fail {
				f.Objectives = append(f.Objectives, o.Text)
			}
		}
		for k := i + 1; k < len(refs); k++ {
			later := &refs[k]
			if findings := later.closes(&f.Ref); len(findings) > 0 {
				for _, finding := range findings {
					matched[[2]string{later.Folder, finding}] = true
				}
				switch {
				case later.Verdict != scenarios.Pass:
					f.NotClosed = append(f.NotClosed, *later)
				case f.ClosedBy == nil:
					f.ClosedBy, f.State = later, Closed
				}
			}
			if later.Name == f.Name && later.Verdict == scenarios.Pass && f.PassedSince == nil {
				if f.PassedSince = later; f.State == Open {
					f.State = Passed
				}
			}
		}
		p.Failures = append(p.Failures, f)
	}
	slices.Reverse(p.Failures)
	for _, r := range slices.Backward(refs) {
		for _, finding := range tokens(r.Meta["closes"]) {
			if !matched[[2]string{r.Folder, finding}] {
				p.Claims = append(p.Claims, Claim{finding, r})
			}
		}
	}
}

// scenarios finds the state of each scenario.
func (p *Programme) scenarios(refs []Ref, cadences []Cadence) {
	at := map[string]int{}
	var names []string
	for i := range refs {
		r := &refs[i]
		k, known := at[r.Name]
		if !known {
			k = len(p.Scenarios)
			at[r.Name], names = k, append(names, r.Name)
			p.Scenarios = append(p.Scenarios, Scenario{Name: r.Name, Cadence: result.NaN})
		}
		s := &p.Scenarios[k]
		s.Runs++
		s.Last = r
		if slices.ContainsFunc(r.Attested, func(a Attestation) bool { return a.Problem == "" }) {
			s.Reviewed = r
		}
		if r.Verdict == scenarios.Pass {
			s.Proof = r
		}
	}
	open := map[string]bool{}
	for i := range p.Failures {
		open[p.Failures[i].Name] = open[p.Failures[i].Name] || p.Failures[i].State == Open
	}
	for i := range p.Scenarios {
		s := &p.Scenarios[i]
		for _, c := range cadences {
			if c.Matches(s.Name) && (!s.Cadence.Known() || c.Every.Seconds() < float64(s.Cadence)) {
				s.Cadence, s.Pattern = result.Sec(c.Every), c.Pattern
			}
		}
		s.State = Proved
		if s.Proof != nil && s.Cadence.Known() {
			due := s.Proof.Ended.Add(s.Cadence.D())
			if s.Due = &due; p.At.After(due) {
				s.State = Overdue
			}
		}
		switch {
		case open[s.Name]:
			s.State = Failed
		case s.Proof == nil:
			s.State = Unproved
		}
	}
	for _, c := range cadences {
		if !slices.ContainsFunc(names, c.Matches) {
			p.Scenarios = append(p.Scenarios, Scenario{
				Name: c.Pattern, State: Never, Cadence: result.Sec(c.Every), Pattern: c.Pattern,
				Near: syntax.Nearest(c.Pattern, names),
			})
		}
	}
	slices.SortStableFunc(p.Scenarios, func(a, b Scenario) int {
		return cmp.Or(cmp.Compare(slices.Index(states, a.State), slices.Index(states, b.State)),
			cmp.Compare(a.Name, b.Name))
	})
}

// Matches reports whether a cadence names a scenario: by its whole name, or by the name of the drill at its end, as in
// `shop: replica-crash`.
func (c Cadence) Matches(name string) bool {
	parts := strings.Split(c.Pattern, "*")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	pattern := regexp.MustCompile(`(?s)^` + strings.Join(parts, ".*") + `$`)
	drill := name[strings.LastIndex(name, ": ")+1:]
	return pattern.MatchString(name) || pattern.MatchString(strings.TrimSpace(drill))
}

// Fit reports whether nothing wants attention: every scenario with a cadence is proved in time, and no failure is
// open.
func (p *Programme) Fit() bool {
	return !slices.ContainsFunc(p.Scenarios, func(s Scenario) bool {
		return s.State == Failed || s.Cadence.Known() && s.State != Proved
	}) && !slices.ContainsFunc(p.Failures, func(f Failure) bool { return f.State == Open })
}

// Count returns the number of scenarios in a state. Scheduled counts only those with a cadence.
func (p *Programme) Count(s State, scheduled bool) (n int) {
	for i := range p.Scenarios {
		if p.Scenarios[i].State == s && (!scheduled || p.Scenarios[i].Cadence.Known()) {
			n++
		}
	}
	return n
}

// States lists the states, the most urgent first.
func States() []State { return slices.Clone(states) }
