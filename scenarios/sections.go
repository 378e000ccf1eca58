package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"brunt/scenarios/quantity"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

// named visits a map of names to settings and checks the names.
func (p *files) named(n *syntax.Node, what string, each func(name string, f syntax.Field)) {
	if n == nil || n.Bad || n.Kind == syntax.Null {
		return
	}
	noun := map[string]string{
		"data": "table", "load": "load", "chaos": "fault", "conditions": "condition", "metrics": "metric", "alerts": "alert",
		"watch": "watch", "ledgers": "ledger", "consistency": "register", "leaders": "service",
		"deliveries": "delivery",
	}[what]
	entries := slices.Concat(n.Fields, n.Twice)
	if n.Kind != syntax.Map {
		p.m.Add(n.Pos, "%s is a map of names to settings, not %s", what, n.Describe())
		for i, item := range n.Items { // their mistakes are found nevertheless
			entry := syntax.Field{Key: fmt.Sprintf("%s-%d", noun, i+1), Pos: item.Pos, Value: item}
			if len(item.Fields) == 1 && item.Fields[0].Value.Kind == syntax.Map {
				entry = item.Fields[0]
			}
			entries = append(entries, entry)
		}
	}
	for _, f := range entries {
		switch {
		case what == "alerts" && !slo.IsAlertName(f.Key):
			p.m.AddHint(f.Pos, "such as HighErrorRate: {prometheus: …, labels: {alertname: \"High error rate\"}}",
				"%q can't name an alert: letters, digits, _ and -, not beginning with a digit", syntax.Clip(f.Key, 40))
		case what != "alerts" && !syntax.IsName(f.Key):
			p.m.Add(f.Pos, "%q can't name a %s: %s", syntax.Clip(f.Key, 40), noun, syntax.NameRule)
		}
		switch {
		case f.Value.Bad:
		case f.Value.Kind != syntax.Map:
			hint := ""
			if what == "data" && f.Value.Kind == syntax.String && f.Value.Value != "" && !f.Value.HasSecret() {
				hint = "such as {csv: " + syntax.Clip(f.Value.Shown(), 60) + "}"
			}
			p.m.AddHint(f.Value.Pos, hint, "%s %q wants a map of settings, not %s", noun, syntax.Clip(f.Key, 40),
				f.Value.Describe())
		default:
			each(f.Key, f)
		}
	}
}

func (p *files) loads(sc *Scenario, n *syntax.Node) {
	if n != nil && !n.Bad && (n.Kind == syntax.Null || n.Kind == syntax.Map && len(n.Fields) == 0) {
		p.m.AddHint(n.Pos, "such as browse: {executor: constant-arrival-rate, …}", "no load is named")
	}
	common := syntax.Keys(Load{})
	isCommon := func(k string) bool { return slices.Contains(common, k) }
	p.named(n, "load", func(name string, f syntax.Field) {
		l := Load{Name: name}
		if f.Value.Get(ScriptKey) != nil {
			p.script(&l, f)
			sc.Loads = append(sc.Loads, l)
			return
		}
		if start := f.Value.Get("start"); start != nil && !start.Bad {
			if _, err := quantity.ParseRate(start.Value); err == nil {
				p.m.AddHint(start.Pos, "the rate at the beginning is start_rate: "+start.Value+", of ramping-arrival-rate",
					"`start` is the time at which the load begins, not a rate such as %s", start.Describe())
				start.Bad = true
			}
		}
		misspelt := func(k string) bool { // else the key would be one of an executor that is not known
			return f.Value.Get("executor") == nil && syntax.Nearest(k, common) == "executor"
		}
		syntax.Decode(f.Value.Without(func(k string) bool { return !isCommon(k) && !misspelt(k) }), &l, p.m)
		l.Shape = syntax.Block{Kind: l.Executor, Pos: l.Of("executor"), With: f.Value.Without(isCommon), Also: common}
		p.flows(&l, f)
		if l.Timeout == 0 {
			l.Timeout = quantity.Duration(DefaultTimeout)
		}
		if !l.Has("grace") {
			l.Grace = quantity.Duration(DefaultGrace)
		}
		if len(l.Flow) > 0 {
			l.Mix = []Mixed{{Place: l.Place, Weight: 1, Flow: l.Flow}}
		}
		if !l.Has("init") {
			l.Init = sc.Init
		}
		if !l.Has("auth") {
			l.Auth = sc.Auth
		}
		if !l.Has("sign") {
			l.Sign = sc.Sign
		}
		sc.Loads = append(sc.Loads, l)
	})
}

// flows checks that a load defines its requests in exactly one way.
func (p *files) flows(l *Load, f syntax.Field) {
	if p.m.Partial {
		return
	}
	const such = "such as flow: [{get: /}]"
	var given []string // keys that define the requests
	for _, key := range []string{"flow", "mix", "targets"} {
		if l.Has(key) {
			given = append(given, key)
		}
	}
	switch {
	case l.Executor == Replay && len(given) > 0:
		p.m.AddHint(l.Of(given[0]), "`request` says what each of its requests has besides",
			"the requests of load %q are those of its log, so that it has no %s", l.Name, given[0])
	case len(given) == 0 && l.Executor != Replay:
		p.m.AddHint(f.Pos, such, "load %q has neither flow nor mix", l.Name)
	case len(given) > 1:
		p.m.Add(l.Of(given[1]), "load %q has both %s and %s", l.Name, given[0], given[1])
	}
	if l.Has("request") && !l.Has("targets") && l.Executor != Replay {
		p.m.Add(l.Of("request"),
			"`request` is for a load with a targets file or a replayed log; a step has its own settings")
	}
	for _, key := range []string{"flow", "mix"} {
		n := f.Value.Get(key)
		if n == nil || n.Bad {
			continue
		}
		if empty(n) {
			p.m.AddHint(n.Pos, such, "the %s of load %q is empty", key, l.Name)
		}
		for _, item := range n.Items {
			if flow := item.Get("flow"); key == "mix" && flow != nil && empty(flow) {
				p.m.AddHint(flow.Pos, such, "a flow of load %q is empty", l.Name)
			}
		}
	}
}

func empty(n *syntax.Node) bool {
	return !n.Bad && (n.Kind == syntax.Null || n.Kind == syntax.List && len(n.Items) == 0)
}

func (p *files) faults(sc *Scenario, n *syntax.Node) {
	p.named(n, "chaos", func(name string, f syntax.Field) {
		fault := Fault{Name: name}
		syntax.Decode(f.Value.Without(isFaultKind), &fault, p.m)
		if fault.Has("steps") {
			p.group(&fault, f.Value)
		} else {
			fault.Block = faultBlock(f.Value, f.Pos, fmt.Sprintf("fault %q", name), syntax.Keys(Fault{}), p.m)
		}
		p.timing(&fault, f)
		sc.Faults = append(sc.Faults, fault)
	})
}

// conditions reads the faults that hold for the whole run.
func (p *files) conditions(sc *Scenario, n *syntax.Node) {
	p.named(n, "conditions", func(name string, f syntax.Field) {
		for _, sub := range f.Value.Fields {
			switch {
			case isFaultKind(sub.Key):
			case slices.Contains(syntax.Keys(Fault{}), sub.Key):
				p.m.AddHint(sub.Pos, "a fault with a time stands under `chaos`",
					"condition %q holds for the whole run; it takes no `%s`", name, sub.Key)
			default:
				p.m.AddHint(sub.Pos, "such as network.latency: {from: web, to: posts, delay: 20ms}",
					"condition %q has a kind of fault alone, not `%s`", name, sub.Key)
			}
		}
		if slices.ContainsFunc(sc.Faults, func(o Fault) bool { return o.Name == name }) {
			p.m.Add(f.Pos, "a fault has the name %q as well", name)
		}
		at := syntax.Place{At: f.Pos}
		sc.Conditions = append(sc.Conditions, Fault{
			Name: name, Place: at, Block: faultBlock(f.Value, f.Pos, fmt.Sprintf("condition %q", name), nil, p.m),
		})
	})
}

// faultBlock returns the kind that the settings of a fault name, with its settings. It must be the only one. what is
// the name of the fault in mistakes; also lists the keys allowed beside the kind.
func faultBlock(n *syntax.Node, at syntax.Pos, what string, also []string, m *syntax.Mistakes) syntax.Block {
	isKind := func(f syntax.Field) bool { // a word of another tool, whose mistake says how a kind is written
		return !slices.Contains(also, f.Key) && (syntax.Elsewhere(f.Key) != "" || faultHint(f.Key) != "")
	}
	var kinds []syntax.Field
	for _, f := range n.Fields {
		if isFaultKind(f.Key) {
			kinds = append(kinds, f)
		}
	}
	switch {
	case len(kinds) == 1:
		return syntax.Block{Kind: kinds[0].Key, Pos: kinds[0].Pos, With: kinds[0].Value, Also: also, Apart: true}
	case len(kinds) == 0 && (m.Partial || slices.ContainsFunc(n.Fields, isKind)):
	case len(kinds) == 0:
		m.AddHint(at, "such as process.crash: {service: posts}", "%s names no kind of fault", what)
	default:
		m.AddHint(kinds[1].Pos, "several faults at once are a group: steps: [{"+kinds[0].Key+": …}, {after: 2s, "+
			kinds[1].Key+": …}]",
			"%s has two kinds, %s and %s; give each an entry of its own", what, kinds[0].Key, kinds[1].Key)
	}
	return syntax.Block{}
}

// group checks the steps of a group, and names those without a name.
func (p *files) group(f *Fault, n *syntax.Node) {
	const such = "such as steps: [{network.partition: {from: a, to: b}}, {after: 2s, process.crash: {service: a}}]"
	if steps := n.Get("steps"); empty(steps) {
		p.m.AddHint(steps.Pos, such, "group %q has no steps", f.Name)
	}
	for _, sub := range n.Fields {
		switch {
		case isFaultKind(sub.Key):
			p.m.AddHint(sub.Pos, "make it a step: steps: [{"+sub.Key+": …}, …]", "fault %q has both steps and a kind, %s",
				f.Name, sub.Key)
		case sub.Key == "pulse":
			p.m.AddHint(sub.Pos, "repeat it with `every` and `repeat`", "a group takes no `pulse`")
		case sub.Key == "within":
			p.m.Add(sub.Pos, "`within` belongs to a step that is over at once, not to the group")
		}
	}
	f.Pulse, f.Within = nil, 0
	taken := map[string]bool{}
	for i := range f.Steps {
		if s := &f.Steps[i]; s.Name != "" {
			switch {
			case !syntax.IsName(s.Name):
				p.m.Add(s.Of("name"), "%q can't name a step: %s", syntax.Clip(s.Name, 40), syntax.NameRule)
			case taken[s.Name]:
				p.m.Add(s.Of("name"), "group %q has two steps %q", f.Name, s.Name)
			}
			taken[s.Name] = true
		}
	}
	for i := range f.Steps {
		s := &f.Steps[i]
		if s.Name != "" || s.Block.Kind == "" {
			continue
		}
		short := s.Block.Kind[strings.LastIndexByte(s.Block.Kind, '.')+1:]
		s.Name = short
		for n := 2; taken[s.Name]; n++ {
			s.Name = fmt.Sprintf("%s-%d", short, n)
		}
		taken[s.Name] = true
	}
}

// timing checks that a fault defines its time in exactly one way.
func (p *files) timing(f *Fault, at syntax.Field) {
	if p.m.Partial {
		return
	}
	starts := 0
	for _, key := range []string{"at", "after", "during", "trigger"} {
		if f.Has(key) {
			starts++
		}
	}
	if starts != 1 {
		p.m.AddHint(at.Pos, "such as at: 20s", "fault %q wants exactly one of at, after, during, trigger", f.Name)
	}
	if f.Has("from") && !f.Has("after") {
		p.m.AddHint(f.Of("from"), "such as {after: cut, from: injection, wait: 2s}",
			"`from` belongs to `after`, the fault that the time counts from")
	}
	if f.Wait.ForOperator() && !f.Has("at") && !f.Has("after") {
		p.m.AddHint(f.Of("wait"), "such as {after: cut, wait: {for: operator, at_most: 10m}}",
			"a wait for an operator begins at a time or after another fault: it goes with `at` and `after` alone")
	}
	if f.Has("repeat") && !f.Has("every") {
		p.m.Add(f.Of("repeat"), "repeat wants `every`, the time from one injection to the next")
	}
	if f.Pulse != nil && !f.Has("for") {
		p.m.Add(f.Of("pulse"), "pulse wants `for`, the time that it goes on")
	}
	if f.Has("pulse") && f.Has("every") {
		p.m.Add(f.Of("pulse"), "pulse and every don't go together")
	}
	if f.Every != 0 && f.For >= f.Every {
		p.m.Add(f.Of("every"), "every %s leaves no gap after for %s", f.Every, f.For)
	}
	switch {
	case f.Jitter != 0 && !f.Has("every"):
		p.m.AddHint(f.Of("jitter"), "such as every: 20s beside it", "jitter moves the occurrences of a fault with `every`, "+
			"and this fault comes once")
	case f.Jitter != 0 && f.Every != 0 && f.For+f.Jitter >= f.Every:
		p.m.AddHint(f.Of("jitter"), fmt.Sprintf("every: %s", quantity.Duration(2*(f.For+f.Jitter))), "jitter %s and for %s "+
			"leave no gap in every %s", f.Jitter, f.For, f.Every)
	}
}

// objectives checks that each objective fits its list, and gives it an id that is unique in that list.
func (p *files) objectives(sc *Scenario) {
	for _, list := range []struct {
		key  string
		objs []slo.Objective
	}{{"slo", sc.SLO}, {"steady", sc.Steady}, {"stop", sc.Stop}} {
		first := map[string]syntax.Pos{}
		for _, o := range list.objs {
			if o.ID == "" {
				continue // already reported
			}
			if at, seen := first[o.ID]; seen {
				p.m.Add(o.Pos, "objective %q stands twice, first at %s", syntax.Clip(o.ID, 60), at)
				continue
			}
			first[o.ID] = o.Pos
			switch {
			case o.For != 0 && list.key != "stop":
				p.m.Add(o.Pos, "`for` belongs to stop conditions")
			case o.Metric.OfTraces() && list.key == "slo" && sc.Trace.Listen == "":
				p.m.AddHint(o.Pos, "such as trace: {listen: 127.0.0.1:4318}", "`%s` needs the spans of the target: nothing receives "+
					"them", o.Text)
			case o.OfDelivery() && list.key == "slo":
				p.ofDelivery(sc, o)
			case o.Metric.OfLedger() && list.key == "slo":
				p.ofLedger(sc, o)
			case o.Metric.OfRegister() && list.key == "slo":
				p.ofConsistency(sc, o)
			case list.key != "slo" && (o.Metric.OfFault() || o.Metric.AfterLoad()):
				p.m.Add(o.Pos, "%s can't stand in %s: it is known only after the run", o.Metric.Text, list.key)
			case list.key != "slo" && o.Metric.Slope():
				p.m.Add(o.Pos, "%s can't stand in %s: a growth is known only after the run", o.Metric.Text, list.key)
			case list.key != "slo" && o.Metric.Counts():
				p.m.Add(o.Pos, "%s can't stand in %s: the growth of a counter is known only after the run", o.Metric.Text, list.key)
			case list.key != "slo" && o.Metric.Row().Late:
				p.m.Add(o.Pos, "%s can't stand in %s: it is known only after the run", o.Metric.Text, list.key)
			case list.key != "slo" && o.Relative():
				p.m.Add(o.Pos, "`%s` can't stand in %s: what %s was is known only after the run", o.Text, list.key, o.Reference)
			case list.key != "slo" && o.Phase != (slo.Phase{}):
				p.m.Add(o.Pos, "a %s condition takes no phase", list.key)
			}
		}
	}
}

// isFaultKind reports whether a key of a chaos entry names its kind: it contains a dot, or is
// call, exec or webhook.
func isFaultKind(key string) bool {
	return strings.Contains(key, ".") || slices.Contains([]string{"call", "exec", "webhook"}, key)
}
