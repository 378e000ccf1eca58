package plan

import (
	"net/netip"
	"slices"

	"github.com/ohler55/ojg/jp"

	"brunt/scenarios"
	"brunt/scenarios/delivery"
	"brunt/scenarios/load"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// compileDeliveries finds the steps that send what `deliveries` expects to see, and gives each delivery a row of its
// own in each load that sends it.
func compileDeliveries(p *Plan, steps *stepCompiler, m *syntax.Mistakes) {
	var written []*syntax.Node
	var senders []string
	for _, d := range p.Scenario.Deliveries {
		if !slices.Contains(senders, d.Sent) {
			if senders = append(senders, d.Sent); len(senders) == delivery.MostSenders+1 {
				m.AddHint(d.Of("sent"), "deliveries may share a step", "more than %d steps send what `deliveries` expects to see",
					delivery.MostSenders)
			}
		}
		spec := &delivery.Spec{Delivery: d, Series: make([]int32, len(p.Loads))}
		p.Deliveries = append(p.Deliveries, spec)
		spec.IDPath, _ = jp.ParseString(d.Seen.ID) // mistakes are reported
		if d.Key != "" {
			spec.KeyPath, _ = jp.ParseString(d.Key)
		}
		if d.Seen.Each != "" {
			spec.EachPath, _ = jp.ParseString(d.Seen.Each)
		}
		if len(d.Seen.Ask) > 0 {
			spec.Ask = askFor(&d.Seen, steps, m)
		}
		for _, s := range steps.compiled {
			if s.call.Name() != d.Sent {
				continue
			}
			spec.Sends, written = append(spec.Sends, s.call), append(written, s.with)
			switch {
			case d.Drawn() && !namesWrite(s.call):
				m.AddHint(s.with.Pos, "such as json: {id: \"${delivery.id}\"}",
					"the step %q names ${delivery.id} nowhere, so nothing that is seen could be known by it", d.Sent)
			case !d.Drawn() && s.with.Get("extract").Get(d.ID.Refs()[0].Name) == nil:
				m.AddHint(d.ID.At, "such as extract: {id: \"$.id\"} in that step",
					"the step %q extracts no %s from its answer", d.Sent, d.ID.Refs()[0].Name)
			}
		}
		steps.checkName(d.Of("sent"), d.Sent)
		for _, s := range p.Series.Steps {
			if s.Name == d.Name {
				m.Add(d.Of("sent"), "a step has the name %q already, which is to be the delivery's own row", d.Name)
				break
			}
		}
		checkHook(p, d, m)
	}
	for _, spec := range p.Deliveries { // behind the steps, whose names are checked above
		for i := range p.Loads {
			if spec.Series[i] = -1; spec.Sent != "" && p.Loads[i].hasStep(spec.Sent) {
				n := steps.number(spec.Name, i)
				p.Series.Steps[n].Part = true // it is in no sum: the request that sends is
				spec.Series[i] = n
			}
		}
		for _, s := range steps.failed {
			if spec.Sent != "" && s.name == spec.Sent {
				steps.number(spec.Name, s.load) // reserved, so that objectives can name it
			}
		}
	}
	placeholder{
		text: syntax.DeliveryPlaceholder, section: "deliveries", setting: "sent", entries: len(p.Scenario.Deliveries),
		such: `{order: {sent: STEP, seen: {http: ":9099/hook", id: "$.id"}, within: 5s}}`,
		own: func(at syntax.Pos) bool {
			return slices.ContainsFunc(p.Scenario.Deliveries, func(d *scenarios.Delivery) bool { return d.ID.At == at })
		},
	}.onlyIn(written, p, steps, m)
}

// askedMessage is the variable that the last step of `seen: {ask: …}` extracts: the answer with the messages.
const askedMessage = "message"

// askFor compiles the steps that ask for messages; nil if they have mistakes. The last one extracts its answer, unless
// it says itself where the messages stand in it.
func askFor(s *scenarios.Seen, steps *stepCompiler, m *syntax.Mistakes) *delivery.Ask {
	before := m.Len()
	symbols := steps.plan.Scenario.Symbols
	out := &delivery.Ask{Answer: symbols.Var(askedMessage), Place: -1}
	if s.After != "" {
		out.After, _ = jp.ParseString(s.After)
		out.Place = symbols.Var(scenarios.VarAfter)
	}
	compile := func(list scenarios.Steps) (out []load.Step) {
		list = slices.Clone(list)
		last := &list[len(list)-1]
		if last.Think != nil {
			m.AddHint(last.Pos, "such as {redis: [BLPOP, sent, 1]}", "a pause asks nothing")
			return nil
		}
		last.With = extracting(last.With)
		for i := range list {
			if w := list[i].With; w.Get("as") != nil && (w.Get("keep") == nil || w.Get("keep").Value != "user") {
				m.AddHint(list[i].Pos, "add keep: user", "a stream that is closed after each question misses messages")
			}
		}
		out, _ = steps.compile(list, unmeasured, &scenarios.Load{Timeout: quantity.Duration(delivery.AskTimeout)})
		return out
	}
	out.Steps = compile(s.Ask)
	if n := len(out.Steps); n == len(s.Ask) {
		if u := out.Steps[n-1].Call.Traits().Unfit; u != (scenarios.Unfit{}) {
			m.AddHint(s.Ask[n-1].Pos, u.Remedy, "%s", u.Why)
		}
	}
	if len(s.From) > 0 {
		out.From = compile(s.From)
	}
	if m.Len() > before {
		return nil
	}
	return out
}

// extracting returns the settings of a step that extracts its answer.
func extracting(with *syntax.Node) *syntax.Node {
	if with == nil || with.Get("extract").Get(askedMessage) != nil {
		return with
	}
	whole := syntax.Field{
		Key: askedMessage, Pos: with.Pos, Value: &syntax.Node{Kind: syntax.String, Value: "$", Pos: with.Pos},
	}
	extract := &syntax.Node{Kind: syntax.Map, Pos: with.Pos}
	if given := with.Get("extract"); given != nil {
		*extract = *given
	}
	extract.Fields = append(slices.Clone(extract.Fields), whole)
	out := with.Without(func(key string) bool { return key == "extract" })
	out.Fields = append(slices.Clone(out.Fields), syntax.Field{Key: "extract", Pos: with.Pos, Value: extract})
	return out
}

// checkHook refuses to listen at an address beyond loopback that the scenario and the policies do not allow:
// everybody who reaches it could send messages.
func checkHook(p *Plan, d *scenarios.Delivery, m *syntax.Mistakes) {
	if d.Seen.HTTP == "" {
		return
	}
	text, _ := d.Seen.Hook()
	at, err := netip.ParseAddrPort(text)
	if err != nil { // a mistake that is already reported
		return
	}
	if err := p.LoadAllowlist.CheckAddr(at, ""); err != nil {
		m.Add(d.Seen.Of("http"), "messages would be received at %s: %v", at, err)
	}
}
