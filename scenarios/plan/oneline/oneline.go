// Package oneline writes the scenario that one command line describes: a URL, a rate, a duration, objectives and
// faults.
//
//	brunt run URL --rate 50 --for 10s --slo "p95 < 200ms" --fault "network.latency delay=100ms"
//	    -Line.Scenario-> the text of a scenario, which is parsed and run like that of a file
//
// A person can keep the text (`--save`) and edit it, so it contains only the usual keys.
package oneline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/effect"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// A Line holds the arguments of a command line that describe a run. Except for the URL, the zero value of a field
// means its default.
type Line struct {
	URL     string // URL of the target, http or https, with path and query
	Rate    string // requests a second: a number, or a rate of the language; default 50/s
	For     string // length of the load, a duration of the language; default 30s
	Timeout string // timeout of a request, a duration of the language; default as in the language
	// entries of `slo`; default errors < 1%, or errors = 0% if there are too few requests to judge that
	Objectives []string
	Faults     []string // KIND KEY=VALUE …, with at=, for= and the other keys of the timeline; see [Line.Scenario]
	Command    string   // the command line, for a comment
}

// Defaults of a line.
const (
	defaultRate = "50/s"
	defaultFor  = "30s"
	defaultSLO  = "errors < 1%"
	fewSLO      = "errors = 0%"
)

// warmup is the length of the warm-up, so that the first use of connections and caches is not judged.
const warmup = time.Second

// Scenario writes the text of the scenario. Faults without a time of their own follow each other: the baseline is the
// first third of the load, or 5 s of a short load, and each fault has an equal part of the rest, and is active in the
// first third of its part. The hold is shorter and the limit of bad requests larger than usual if the run can then
// show the effect of a fault and the recovery. Values of objectives and faults are not checked here, but when the
// text is parsed. The error says which flag is wrong.
func (l Line) Scenario() (string, error) {
	u, err := syntax.ParseURL(l.URL)
	if err != nil {
		return "", err // the error does not show a password
	}
	rate, perSecond, err := l.rate()
	if err != nil {
		return "", err
	}
	duration, err := l.duration()
	if err != nil {
		return "", err
	}
	times := split(duration, len(l.Faults))
	faults, err := l.faults(times)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if l.Command != "" {
		fmt.Fprintf(&b, "# %s\n", strings.Map(printable, l.Command))
	}
	fmt.Fprintf(&b, "version: 1\nname: %s\n\ntarget: {url: %s}\n", syntax.YAMLText(u.Host+u.EscapedPath()),
		text(u.Scheme+"://"+u.Host))
	if host := u.Hostname(); !scenarios.IsLoopback(host) {
		fmt.Fprintf(&b, "guard: {allow: {load: [%s]}}   # the addresses beyond loopback that the load may reach\n",
			syntax.YAMLText(host))
	}
	fmt.Fprintf(&b, "warmup: {for: %s}   # offered, recorded apart, never judged\n", quantity.FormatDuration(warmup))
	fmt.Fprintf(&b, "\nload:\n  requests:\n    executor: constant-arrival-rate   # arrivals come whatever the target "+
		"does, so that a stall can't hide\n")
	fmt.Fprintf(&b, "    rate: %s\n    duration: %s\n", rate, quantity.FormatDuration(duration))
	if l.Timeout != "" {
		fmt.Fprintf(&b, "    timeout: %s\n", l.Timeout)
	}
	fmt.Fprintf(&b, "    flow:\n      - get: %s\n", text(syntax.PathQuery(u)))
	if len(faults.Fields) > 0 {
		b.WriteString("\n" + syntax.WriteYAML(mapOf("chaos", faults), func(s string) string { return s }))
		b.WriteString(times.judge(perSecond))
	}
	b.WriteString("\nslo:\n")
	for _, o := range l.objectives(perSecond * duration.Seconds()) {
		fmt.Fprintf(&b, "  - %s\n", text(o))
	}
	return b.String(), nil
}

// times divides a load among its faults.
type times struct {
	lead  time.Duration // the baseline, before the first fault
	part  time.Duration // length of each fault with the time after it
	stays time.Duration // how long a fault is active
}

// leastLead is the least length of a baseline that shows whether answers became slower: five blocks of a second, as
// [effect.Slower] needs.
const leastLead = 5 * time.Second

func split(duration time.Duration, faults int) times {
	lead := max(duration/3, min(leastLead, duration/2))
	part := (duration - lead) / time.Duration(max(1, faults))
	return times{lead: rounded(lead), part: part, stays: rounded(part / 3)}
}

// judge returns the settings of `judge` that differ from the defaults: a hold that fits after each fault, and a limit
// of bad requests that so few requests can show. It is empty if the defaults fit, or if there are too few requests
// for any settings.
func (t times) judge(perSecond float64) string {
	hold := min(scenarios.DefaultHold, (t.part - t.stays - time.Second).Truncate(time.Second))
	limit := t.limit(perSecond, hold)
	var settings, why []string
	if hold < scenarios.DefaultHold {
		settings, why = append(settings, "hold: "+quantity.FormatDuration(hold)),
			append(why, "so long must requests be good to have recovered")
	}
	if limit > scenarios.DefaultLimit {
		text := quantity.FormatShare(limit)
		settings, why = append(settings, "limit: "+text), append(why, "so few requests show no smaller share of bad ones")
	}
	if limit == 0 || settings == nil {
		return ""
	}
	return fmt.Sprintf("judge: {%s}   # %s\n", strings.Join(settings, ", "), strings.Join(why, ", and "))
}

// limits are the possible limits of bad requests of a line, the default first.
var limits = []float64{scenarios.DefaultLimit, 2e-2, 3e-2, 5e-2}

// limit returns the least limit that a hold can show, and for which the baseline gives a limit of slow answers. If
// there is none, it returns the least limit that a hold can show. Zero means that there are too few requests for any.
func (t times) limit(perSecond float64, hold time.Duration) (least float64) {
	for _, limit := range slices.Backward(limits) {
		if perSecond*hold.Seconds() < float64(effect.EnoughFor(limit)) {
			break
		}
		least = limit
	}
	for _, limit := range limits {
		if limit >= least && least > 0 && perSecond*t.lead.Seconds() >= float64(effect.EnoughFor(limit/2)) {
			return limit
		}
	}
	return least
}

func mapOf(key string, value *syntax.Node) *syntax.Node {
	return &syntax.Node{Kind: syntax.Map, Fields: []syntax.Field{{Key: key, Value: value}}}
}

func (l Line) objectives(requests float64) []string {
	if len(l.Objectives) > 0 {
		return l.Objectives
	}
	if requests < float64(effect.EnoughFor(scenarios.DefaultLimit)) {
		return []string{fewSLO}
	}
	return []string{defaultSLO}
}

// text quotes an argument of the command line as a text without placeholders.
func text(s string) string { return syntax.YAMLText(strings.ReplaceAll(s, "${", "$${")) }

// printable replaces characters that would end a comment, or disturb a terminal, with a blank.
func printable(r rune) rune {
	if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
		return ' '
	}
	return r
}

// rate returns the rate of arrivals in the language's form, and as a number.
func (l Line) rate() (rate string, perSecond float64, err error) {
	rate = cmp.Or(l.Rate, defaultRate)
	if !strings.Contains(rate, "/") {
		rate += "/s"
	}
	if perSecond, err = quantity.ParseRate(rate); err != nil || perSecond <= 0 {
		return "", 0, fmt.Errorf("--rate %q is not a rate of more than zero; such as 50, or 3000/m", l.Rate)
	}
	return rate, perSecond, nil
}

func (l Line) duration() (time.Duration, error) {
	text := cmp.Or(l.For, defaultFor)
	d, err := quantity.ParseDuration(text)
	if err == nil && d < time.Second {
		err = fmt.Errorf("it is at least 1s")
	}
	if err != nil {
		return 0, fmt.Errorf("--for %s: %w; such as 30s", text, err)
	}
	return d, nil
}
