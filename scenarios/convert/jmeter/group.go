package jmeter

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios/convert/draft"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
)

// shapes returns the loads of a thread group, without their steps: one, or several for a group with several ramps.
func (p *plan) shapes(t *tree) []*draft.Node {
	load := &draft.Node{}
	p.onError(t, &load.Above)
	if t.prop("ThreadGroup.same_user_on_next_iteration") == "false" {
		p.d.LoseAt(&load.Above, t.line,
			"that each iteration of %q is by a new user, with connections of its own", draft.Clip(t.name(), 60))
	}
	switch {
	case t.tag == "ThreadGroup":
		p.threads(t, load)
	case strings.HasSuffix(t.tag, ".ConcurrencyThreadGroup"):
		p.concurrency(t, load, false)
	case strings.HasSuffix(t.tag, ".ArrivalsThreadGroup"):
		p.concurrency(t, load, true)
	case strings.HasSuffix(t.tag, ".UltimateThreadGroup"):
		if all := p.ultimate(t); len(all) > 0 {
			return all
		}
		fallthrough
	default:
		p.d.LoseAt(&load.Above, t.line, "the shape of %s %q; this is a guess", t.tag, draft.Clip(t.name(), 60))
		load.Set("executor", draft.Raw("constant-vus")).Set("vus", draft.Number(10)).Set("duration", draft.Raw("60s"))
	}
	return []*draft.Node{load}
}

// onError reports what a thread does at an error, if it is more than to go on.
func (p *plan) onError(t *tree, above *[]string) {
	switch on := strings.TrimSpace(t.prop("ThreadGroup.on_sample_error")); on {
	case "", "continue", "startnextloop":
	default:
		p.d.LoseAt(above, t.line, "%s at an error", draft.Clip(on, 40))
	}
}

// amount returns a whole number of a plan: its form in the scenario, and its current value. An invalid number becomes
// otherwise.
func (p *plan) amount(e *element, name string, otherwise int, above *[]string) (*draft.Node, int) {
	t := p.text(e, name, above)
	v, known := p.vars.known(t)
	n, err := strconv.Atoi(strings.TrimSpace(v))
	if !known || err != nil || n < 0 || n > 1_000_000 {
		if v != "" || !known {
			p.d.LoseAt(above, e.line, "%s: %q; %d stands for it", name, draft.Clip(t.String(), 40), otherwise)
		}
		return draft.Number(otherwise), otherwise
	}
	if v != strconv.Itoa(n) { // with blanks or zeros in front, which brunt refuses in a number
		t = draft.Lit("")
	}
	if _, static := t.Static(); static {
		return draft.Number(n), n
	}
	return draft.Str(t), n
}

// span does the same for a time, whose unit is s or ms.
func (p *plan) span(e *element, name, unit string, above *[]string) (*draft.Node, time.Duration) {
	t := p.text(e, name, above)
	v, known := p.vars.known(t)
	f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
	if unit == "ms" {
		f /= 1000
	}
	switch {
	case known && strings.TrimSpace(v) == "":
		return nil, 0
	case !known || err != nil || f < 0 || math.IsNaN(f) || f > 366*24*3600:
		p.d.LoseAt(above, e.line, "%s: %q", name, draft.Clip(t.String(), 40))
		return nil, 0
	}
	d := result.Num(f).D().Round(time.Millisecond)
	if _, static := t.Static(); static || !plainNumber.MatchString(v) {
		return draft.Raw(quantity.FormatDuration(d)), d
	}
	return draft.Str(draft.Join(t, draft.Lit(unit))), d
}

// stage returns one stage of a ramp.
func stage(key string, to *draft.Node, over *draft.Node) *draft.Node {
	return (&draft.Node{}).Set(key, to).Set("duration", over)
}

// forever is the duration that replaces an endless group.
const forever = 5 * time.Minute

// threads reads the standard thread group of JMeter: a closed load with a ramp, and a number of
// loops or a duration.
func (p *plan) threads(t *tree, load *draft.Node) {
	above := &load.Above
	vus, n := p.amount(t.element, "ThreadGroup.num_threads", 1, above)
	if n == 0 {
		vus, n = draft.Number(1), 1
	}
	loops, turns := p.loops(t, above)
	timed := t.is("ThreadGroup.scheduler")
	duration, long := p.span(t.element, "ThreadGroup.duration", "s", above)
	ramp, rise := p.span(t.element, "ThreadGroup.ramp_time", "s", above)
	if delay, late := p.span(t.element, "ThreadGroup.delay", "s", above); timed && late > 0 {
		load.Set("start", delay)
	}
	if !timed || long == 0 {
		duration, long, timed = nil, 0, false
	}
	if turns >= 0 {
		load.Set("executor", draft.Raw("per-vu-iterations")).Set("vus", vus).Set("iterations", loops)
		if !timed {
			duration = draft.Raw("1h")
			duration.Behind = "JMeter has no bound; after this it ends all the same"
		}
		load.Set("max_duration", duration)
		p.ramp = rise
		p.judged(float64(n)*float64(turns), time.Duration(math.MaxInt64))
		return
	}
	if !timed {
		p.d.LoseAt(above, t.line, "a load without an end; %s stand for it", quantity.FormatDuration(forever))
		duration, long = draft.Raw(quantity.FormatDuration(forever)), forever
	}
	p.judged(math.Inf(1), time.Duration(n)*max(0, long-rise/2))
	if rise == 0 {
		load.Set("executor", draft.Raw("constant-vus")).Set("vus", vus).Set("duration", duration)
		return
	}
	load.Set("executor", draft.Raw("ramping-vus"))
	stages := draft.List(stage("vus", vus, ramp))
	if hold := long - rise; hold > 0 {
		// The duration of JMeter includes the ramp.
		stages.Items = append(stages.Items, stage("vus", vus, draft.Raw(quantity.FormatDuration(hold))))
		if strings.Contains(duration.YAML+ramp.YAML, "${") {
			p.d.LoseAt(above, t.line,
				"a duration that includes the ramp-up, both of them params: the last stage takes the rest, computed now")
		}
	} else if hold < 0 {
		p.d.LoseAt(above, t.line, "a ramp-up of %s within a duration of %s: it is done faster", quantity.FormatDuration(rise),
			quantity.FormatDuration(long))
		stages.Items[0] = stage("vus", vus, duration)
	}
	load.Set("stages", stages)
}

// loops returns how often each thread runs its steps; -1 is unlimited.
func (p *plan) loops(t *tree, above *[]string) (*draft.Node, int) {
	main := t.find("ThreadGroup.main_controller")
	if main == nil || main.is("LoopController.continue_forever") &&
		strings.TrimSpace(main.prop("LoopController.loops")) == "" {
		return nil, -1
	}
	v, known := p.value(main, "LoopController.loops", above)
	if known && v == "-1" {
		return nil, -1
	}
	node, n := p.amount(main, "LoopController.loops", 1, above)
	if n == 0 {
		return draft.Number(1), 1
	}
	return node, n
}

// judged records whether the load makes enough requests to show an error rate below 1 %. Iterations is the most
// iterations that it makes, and busy the total time of its virtual users.
func (p *plan) judged(iterations float64, busy time.Duration) {
	if p.thinks > 0 {
		iterations = min(iterations, busy.Seconds()/p.thinks.Seconds())
	}
	p.shows = p.shows || iterations*float64(p.requests) >= enough
}

// enough is the number of requests that an error rate below 1 % needs, with a margin.
const enough = 300

// concurrency reads the plug-in groups for arrivals and concurrency: a ramp to a level that is then held.
func (p *plan) concurrency(t *tree, load *draft.Node, arrivals bool) {
	above := &load.Above
	unit := time.Minute
	if strings.TrimSpace(t.prop("Unit")) == "S" {
		unit = time.Second
	}
	long := func(name string) time.Duration {
		v, known := p.value(t.element, name, above)
		f, err := strconv.ParseFloat(cmp.Or(v, "0"), 64)
		if !known || err != nil || f < 0 || f > 1e6 || math.IsNaN(f) {
			p.d.LoseAt(above, t.line, "%s: %q", name, draft.Clip(v, 40))
			return 0
		}
		return result.Num(f * unit.Seconds()).D().Round(time.Millisecond)
	}
	rise, hold := min(long("RampUp"), 366*24*time.Hour), min(long("Hold"), 366*24*time.Hour)
	if rise+hold == 0 {
		hold = time.Minute
	}
	if steps := strings.TrimSpace(t.prop("Steps")); steps != "" && steps != "0" && rise > 0 {
		p.d.LoseAt(above, t.line, "the %s steps of the ramp: it rises evenly", draft.Clip(steps, 20))
	}
	level, n := p.amount(t.element, "TargetLevel", 1, above)
	if n == 0 {
		level, n = draft.Number(1), 1
	}
	key, executor := "vus", "ramping-vus"
	if arrivals {
		key, executor = "rate", "ramping-arrival-rate"
		per := "/m"
		if unit == time.Second {
			per = "/s"
		}
		of := p.text(t.element, "TargetLevel", above)
		v, known := p.vars.known(of)
		if f, err := strconv.ParseFloat(v, 64); !known || err != nil || !(f > 0 && f <= 1e6) || !plainNumber.MatchString(v) {
			of = draft.Lit(strconv.Itoa(n))
		}
		level = draft.Str(draft.Join(of, draft.Lit(per)))
	}
	if arrivals && float64(n)/unit.Seconds()*(rise/2+hold).Seconds() < 1 {
		p.d.LoseAt(above, t.line, "less than one arrival; a minute is added")
		hold += time.Minute
	}
	stages := draft.List()
	if rise > 0 {
		stages.Items = append(stages.Items, stage(key, level, draft.Raw(quantity.FormatDuration(rise))))
	} else {
		stages.Items = append(stages.Items, stage(key, level, draft.Raw("0s")))
	}
	if hold > 0 {
		stages.Items = append(stages.Items, stage(key, level, draft.Raw(quantity.FormatDuration(hold))))
	}
	load.Set("executor", draft.Raw(executor)).Set("stages", stages)
	if arrivals {
		p.judged(float64(n)/unit.Seconds()*(rise/2+hold).Seconds(), time.Duration(math.MaxInt64))
	} else {
		p.judged(math.Inf(1), time.Duration(n)*(rise/2+hold))
	}
}

// ultimate reads the plug-in group with several ramps; each becomes a load.
func (p *plan) ultimate(t *tree) []*draft.Node {
	var out []*draft.Node
	for _, row := range t.arguments("", "ultimatethreadgroupdata") {
		var v [5]int
		if len(row.kids) < len(v) {
			return nil
		}
		row.skip()
		for i := range v {
			s, known := p.vars.known(p.vars.expand(row.kids[i].text, row.line, &p.d.Head))
			n, err := strconv.Atoi(strings.TrimSpace(s))
			if !known || err != nil || n < 0 || n > 1_000_000 {
				return nil
			}
			v[i] = n
		}
		if v[0] == 0 || v[2]+v[3]+v[4] == 0 {
			continue
		}
		sec := func(n int) *draft.Node { return draft.Raw(quantity.FormatDuration(time.Duration(n) * time.Second)) }
		load := (&draft.Node{}).Set("executor", draft.Raw("ramping-vus"))
		if v[1] > 0 {
			load.Set("start", sec(v[1]))
		}
		load.Set("stages", draft.List(stage("vus", draft.Number(v[0]), sec(v[2])),
			stage("vus", draft.Number(v[0]), sec(v[3])), stage("vus", draft.Number(0), sec(v[4]))))
		p.judged(math.Inf(1), time.Duration(v[0]*v[3])*time.Second)
		out = append(out, load)
	}
	return out
}
