package drills

import (
	"cmp"
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// A Learned is what runs of drills taught about a system beside its verdicts: the behaviour of the team's alerts, the
// dependencies between its services, and the cost of requests.
type Learned struct {
	Alerts []AlertRow `json:"alerts,omitempty"` // a row for each fault of runs with alerts
	Links  []Edge     `json:"links,omitempty"`  // between services, by caller and callee
	Cost   []Cost     `json:"cost,omitempty"`   // a row for each fault
}

// Learn reads what runs teach. Needs are the dependencies of the same runs.
func Learn(runs []Tried, needs *Dependencies) *Learned {
	l := &Learned{Links: edges(runs, needs)}
	for _, run := range runs {
		if run.Result.Verdict == scenarios.Interrupted || run.Result.Control {
			continue
		}
		for i := range run.Result.Faults {
			f := &run.Result.Faults[i]
			if f.Skipped || !f.Injected.Known() {
				continue
			}
			if row := alertRow(run, i); len(row.Alerts) > 0 {
				l.Alerts = append(l.Alerts, row)
			}
			c := Cost{Run: run.Name, Fault: f.Name, Parts: PartsHit(f), Link: run.Link}
			c.Before, c.During = run.Result.CostIn(slo.Phase{Kind: slo.BaselinePhase}), run.Result.CostIn(f.Phase())
			if c.Before.Known() || c.During.Known() {
				l.Cost = append(l.Cost, c)
			}
		}
	}
	return l
}

// An AlertRow says what each alert did after a fault.
type AlertRow struct {
	Run    string         `json:"run"`             // name of the drill
	Fault  string         `json:"fault"`           // name of the fault in its scenario
	Parts  []string       `json:"parts,omitempty"` // units, services or links that it hit, as the matrix has them
	Link   string         `json:"-"`               // to the report of the run
	Alerts []AlertOutcome `json:"alerts"`
}

// PartsHit returns the parts that a fault hit; empty if it was not verified, or met no traffic.
func PartsHit(f *result.FaultRecord) (out []string) {
	for _, hit := range together(hits(f)) {
		if !slices.Contains(out, hit[0]) {
			out = append(out, hit[0])
		}
	}
	return out
}

// An AlertAnswer says in a word what an alert did after a fault.
type AlertAnswer string

// The answers.
const (
	// AlertFired means that the alert fired while the fault was in, and within the limit of an objective.
	AlertFired AlertAnswer = "fired"
	// AlertLate means that the alert fired after the fault was over, or after the limit of an objective.
	AlertLate AlertAnswer = "late"
	// AlertSilent means that the alert did not fire until the last poll, although the fault was verified and met traffic.
	AlertSilent AlertAnswer = "silent"
	// AlertUnknown means that the polls do not tell, or that another fault was in as well.
	AlertUnknown AlertAnswer = "unknown"
)

// An AlertOutcome is the answer of one alert. Times are seconds from the injection.
type AlertOutcome struct {
	Alert  string      `json:"alert"`
	Answer AlertAnswer `json:"answer"`
	Fired  result.Num  `json:"fired"` // first poll that found it firing; null: none did
	// last poll before it fired; of a silent alert the last poll
	From  result.Num `json:"from"`
	Over  result.Num `json:"over"`            // end of the fault; null: not known
	Limit result.Num `json:"limit,omitempty"` // of the objective on the alert; absent without one
	Note  string     `json:"note,omitempty"`  // why the answer is unknown, as far as the monitoring told
}

// alertRow returns the answers of all alerts after fault i of a run.
func alertRow(run Tried, i int) AlertRow {
	f := &run.Result.Faults[i]
	row := AlertRow{Run: run.Name, Fault: f.Name, Parts: PartsHit(f), Link: run.Link}
	for _, a := range f.Alerts {
		o := AlertOutcome{
			Alert: a.Name, Fired: a.Fired, From: a.FiredFrom, Over: result.NaN, Note: a.Note,
			Limit: alertLimit(run.Result, f.Phase(), a.Name),
		}
		if f.Cleared.Known() {
			o.Over = f.Cleared - f.Injected
		}
		switch {
		case !a.Fired.Known() && (a.Note != "" || len(hits(f)) == 0):
			o.Answer = AlertUnknown
		case overlapped(run.Result, i):
			o.Answer = AlertUnknown
		case !a.Fired.Known():
			o.Answer = AlertSilent
		case o.Over.Known() && a.Fired > o.Over && !(a.FiredFrom < o.Over), o.Limit > 0 && a.Fired >= o.Limit:
			o.Answer = AlertLate
		default:
			o.Answer = AlertFired
		}
		row.Alerts = append(row.Alerts, o)
	}
	return row
}

// alertLimit returns the time within which an objective wants an alert to fire after a fault; 0 if none does.
func alertLimit(r *result.Result, phase slo.Phase, alert string) result.Num {
	for i := range r.Objectives {
		o := &r.Objectives[i]
		asked, ok := o.Asks()
		if ok && asked.Metric.Name == "alert" && asked.Metric.Source == alert &&
			asked.After.Of(slo.FaultPhase).Includes(phase) {
			return o.Target
		}
	}
	return 0
}

// An Edge is the calls of one service to another.
type Edge struct {
	From string `json:"from"` // service that calls
	To   string `json:"to"`   // service that is called
	// calls or bytes, in Traffic; empty if the link was not read in any run
	Unit string `json:"unit,omitempty"`
	// calls, or bytes, for each request of the load in the newest baseline of a run that was not interrupted; null if
	// that is not known
	Traffic result.Num `json:"traffic"`
	// connections whose protocol was not read, so that Traffic is too small
	Unread int64 `json:"unread,omitempty"`
	// steps of the load with their need of the called service; empty if no run showed one
	Needs []StepNeed `json:"needs,omitempty"`
}

// A StepNeed is the need of a step for a service.
type StepNeed struct {
	Step string `json:"step"`
	Need Need   `json:"need"`
}

// edges returns the links between services that runs had, with the steps that need the called service.
func edges(runs []Tried, needs *Dependencies) []Edge {
	runs = slices.Clone(runs)
	slices.SortStableFunc(runs, func(a, b Tried) int { return a.Result.Started.Compare(b.Result.Started) })
	var out []Edge
	at := func(from, to string) *Edge {
		i := slices.IndexFunc(out, func(e Edge) bool { return e.From == from && e.To == to })
		if i < 0 {
			out, i = append(out, Edge{From: from, To: to, Traffic: result.NaN}), len(out)
		}
		return &out[i]
	}
	for _, run := range runs {
		unread := map[[2]string]int64{}
		for _, l := range run.Result.Links {
			key := [2]string{serviceOf(l.From), serviceOf(l.To)}
			unread[key] += l.Unread
			at(key[0], key[1]).Unread = unread[key]
		}
		for i := range run.Result.Amplification {
			a := &run.Result.Amplification[i]
			p := a.In(slo.Phase{Kind: slo.BaselinePhase})
			if p == nil || run.Result.Verdict == scenarios.Interrupted {
				continue
			}
			e := at(a.From, a.To)
			if e.Unit != result.UnitCalls || a.Unit == result.UnitCalls { // a later run that did not read calls takes none away
				e.Unit, e.Traffic = a.Unit, p.Value
			}
		}
	}
	for i := range out {
		for _, step := range needs.Steps {
			if one, tried := needs.Cells[[2]string{step, out[i].To}]; tried {
				out[i].Needs = append(out[i].Needs, StepNeed{step, one.Need})
			}
		}
	}
	slices.SortFunc(out, func(a, b Edge) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	return out
}

// A Cost is what each good request cost the target before a fault and in it.
type Cost struct {
	Run    string      `json:"run"`             // name of the drill
	Fault  string      `json:"fault"`           // name of the fault in its scenario
	Parts  []string    `json:"parts,omitempty"` // units, services or links that it hit, as the matrix has them
	Link   string      `json:"-"`               // to the report of the run
	Before result.Cost `json:"before"`
	During result.Cost `json:"during"`
}
