// Package draft builds scenarios for the converters of other tools' files: YAML nodes with
// comments, requests, texts with escaped placeholders, and secrets that become ${env.NAME}.
//
//	Converter.Convert(d, source) -> d.Step, d.Add, d.Lose -> Scenario: text, notes, secrets
package draft

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/secret"
	"brunt/scenarios/syntax"
)

// A Builder is a scenario under construction.
type Builder struct {
	O     Options
	Notes []Note
	more  int // notes beyond mostNotes

	used    int // approximate number of values and punctuation so far
	bytes   int
	Dropped int // steps that did not fit

	secrets  map[string]string // environment variables by the secret they replace
	reserved map[string]bool   // environment variables that the source reads
	Env      []Secret

	Name      string   // of the scenario; empty means the name of the file
	Head      []string // comments at the top
	Params    *Node
	Base      Text // scheme, host and prefix of every path
	Origin    string
	Endpoints *Node // of the target if it has only endpoints; nil: it has a base
	TLS       *Node
	allow     []Text // hosts beyond loopback
	Data      *Node
	Setup     *Node
	Load      *Node
	Teardown  *Node
	Judged    bool // the load has objectives of its own

	experiment
}

func newBuilder(o Options) *Builder {
	top := func() *Node { return &Node{Block: true, gap: true} }
	return &Builder{
		O: o, secrets: map[string]string{}, reserved: map[string]bool{}, Params: top(), Data: top(), Setup: top(),
		Load: top(), Teardown: top(),
		experiment: experiment{
			reader: reader{map[*syntax.Node]bool{}}, lines: map[string]int{}, Units: &Node{Block: true}, Chaos: top(),
			Slo: top(), selected: map[selection]string{},
		},
	}
}

// Bounds on the scenario, somewhat below those of the language, and on the notes.
const (
	mostValues = 40_000
	mostBytes  = 400 << 10
	mostNotes  = 200
)

// Tell adds a note on a line of the source, unless it is there. Line 0 means no particular line.
func (d *Builder) Tell(line int, format string, args ...any) {
	n := Note{File: d.O.File, Line: line, Text: secret.Fields(fmt.Sprintf(format, args...))}
	switch {
	case slices.Contains(d.Notes, n):
	case len(d.Notes) == mostNotes:
		d.more++
	default:
		d.Notes = append(d.Notes, n)
	}
}

// Lose reports a part of a line that can't be converted: in a comment above the next step of a
// flow, and in a note.
func (d *Builder) Lose(flow *Node, line int, format string, args ...any) {
	d.LoseAt(&flow.Pending, line, format, args...)
}

// LoseAt is Lose with the comment lines to add to.
func (d *Builder) LoseAt(above *[]string, line int, format string, args ...any) {
	what := secret.Fields(fmt.Sprintf(format, args...))
	d.Tell(line, "%s", what)
	if len(d.Notes) == mostNotes && d.more > 0 {
		return
	}
	place := ""
	if line > 0 {
		place = fmt.Sprintf(" (line %d)", line)
	}
	if comment := "not carried over" + place + ": " + what; !slices.Contains(*above, comment) {
		*above = append(*above, comment)
	}
}

// Param adds a param of the scenario, which --set overrides, and returns its placeholder. It replaces an invalid name
// by a valid one.
func (d *Builder) Param(name string, value *Node, behind string) Text {
	name = Slug(name, "param")
	if d.Params.Get(name) == nil {
		value.Behind = behind
		d.Params.Set(name, value)
	}
	return Ref(name)
}

// Slug converts any text to a valid name of the language.
func Slug(s, otherwise string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9' && b.Len() > 0:
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-") && b.Len() < 40:
			b.WriteByte('-')
		}
	}
	name := strings.Trim(b.String(), "-")
	if name = strings.TrimRight(name[:min(len(name), 40)], "-"); syntax.IsName(name) {
		return name
	}
	if name != "" && syntax.IsName(otherwise+"-"+name) {
		return otherwise + "-" + name
	}
	return otherwise
}

// Unique returns name, with a number appended if the map already has that key.
func Unique(in *Node, name string) string {
	taken := make([]bool, len(in.Fields)+1) // by the number, less 1, of which the name itself has 1
	for _, f := range in.Fields {
		digits, ok := strings.CutPrefix(f.Key, name)
		if !ok {
			continue
		}
		n, err := strconv.Atoi(strings.TrimPrefix(digits, "-"))
		switch {
		case digits == "":
			taken[0] = true
		case err == nil && n > 1 && n <= len(taken) && digits == "-"+strconv.Itoa(n):
			taken[n-1] = true
		}
	}
	if n := 1 + slices.Index(taken, false); n > 1 {
		name += "-" + strconv.Itoa(n)
	}
	return name
}

// At sets the base of relative paths. Only the first URL counts.
func (d *Builder) At(u *url.URL) {
	if d.Origin == "" {
		d.Origin = OriginOf(u)
		d.Base = Lit(d.Origin)
		d.Reach(u)
	}
}

// Place returns u as a step writes it: only the path if u is at the target.
func (d *Builder) Place(u *url.URL) Text {
	path := URLText(syntax.PathQuery(u))
	d.At(u)
	if OriginOf(u) == d.Origin {
		return Lit(path)
	}
	d.Reach(u)
	return Lit(OriginOf(u) + path)
}

// isHostName matches valid host names. It is compiled when it is first needed, as every start of brunt would wait a
// millisecond for it.
var isHostName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,252}$`)
})

// IsHostName reports whether a name is one that a host can have.
func IsHostName(name string) bool { return isHostName().MatchString(name) }

// IsWeb reports whether a URL can be a target of load.
func IsWeb(u *url.URL) bool {
	if u.Scheme != "http" && u.Scheme != "https" || syntax.CheckPort(u.Port()) != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && ip.Zone() == "" || IsHostName(u.Hostname())
}

// Reach adds the host of u to the guard, unless it is loopback.
func (d *Builder) Reach(u *url.URL) {
	host := u.Hostname()
	if port, err := strconv.Atoi(u.Port()); err == nil {
		host = net.JoinHostPort(host, strconv.Itoa(port))
	}
	d.ReachAs(u, Lit(host))
}

// ReachAs is Reach with the text to add for the host.
func (d *Builder) ReachAs(u *url.URL, as Text) {
	if scenarios.IsLoopback(u.Hostname()) {
		return
	}
	if !slices.ContainsFunc(d.allow, func(t Text) bool { return t.String() == as.String() }) {
		d.allow = append(d.allow, as)
	}
}

// OriginOf returns the scheme, host and port of a URL, without the scheme's default port.
func OriginOf(u *url.URL) string {
	host := strings.ToLower(u.Host)
	switch scheme := strings.ToLower(u.Scheme); {
	case scheme == "http" && strings.HasSuffix(host, ":80"):
		host = strings.TrimSuffix(host, ":80")
	case scheme == "https" && strings.HasSuffix(host, ":443"):
		host = strings.TrimSuffix(host, ":443")
	}
	return strings.ToLower(u.Scheme) + "://" + host
}

// Beside converts a path in the source to one relative to the scenario.
func (d *Builder) Beside(path string) string {
	path = strings.ReplaceAll(path, `\`, "/")
	if !filepath.IsAbs(path) {
		path = filepath.Join(d.O.From, filepath.FromSlash(path))
		if to, err := filepath.Rel(abs(d.O.To), abs(path)); err == nil {
			path = to
		}
	}
	return filepath.ToSlash(path)
}

func abs(path string) string {
	if out, err := filepath.Abs(path); err == nil {
		return out
	}
	return path
}

// Add adds a step to a flow if there is room for it.
func (d *Builder) Add(flow, step *Node) {
	if step == nil {
		return
	}
	values, size := step.size()
	for _, c := range slices.Concat(flow.Pending, step.Above) {
		size += min(4*len(c), 4*mostComment) + 16
	}
	if d.used+values > mostValues || d.bytes+size > mostBytes {
		d.Dropped++
		return
	}
	d.used, d.bytes = d.used+values, d.bytes+size
	step.Above = append(flow.Pending, step.Above...)
	flow.Pending = nil
	flow.Items = append(flow.Items, step)
}

// size returns the approximate size of n in the file: values with punctuation, and bytes.
func (n *Node) size() (values, size int) {
	if n.YAML != "" {
		return 1, len(n.YAML) + 4
	}
	values, size = 3, 8
	for _, f := range n.Fields {
		v, s := f.Value.size()
		values, size = values+v+3, size+s+len(f.Key)+8
	}
	for _, item := range n.Items {
		v, s := item.size()
		values, size = values+v+1, size+s
	}
	return values, size
}

// Arrivals makes a load for a source without a rate. Its rate and its duration become params. What names the things
// that the rate counts.
func (d *Builder) Arrivals(rate, what string) *Node {
	return (&Node{Block: true}).
		Set("executor", Raw("constant-arrival-rate")).
		Set("rate", Str(d.Param("rate", Raw(rate), what+"; a guess, as "+d.O.Kind+" gives no rate"))).
		Set("duration", Str(d.Param("duration", Raw("60s"), "")))
}

// Think returns a pause.
func Think(from, to time.Duration) *Node {
	s := quantity.FormatDuration(from)
	if to > from {
		s += ".." + quantity.FormatDuration(to)
	}
	return (&Node{}).Set("think", Raw(s))
}

// complete returns the draft as a map of the language, and adds what is still to be noted.
func (d *Builder) complete() *Node {
	if d.Dropped > 0 {
		d.Head = append(d.Head, fmt.Sprintf("not carried over: %s, for which a scenario has no room; divide %s.",
			syntax.Amount(d.Dropped, "more step"), filepath.Base(d.O.File)))
		d.Tell(0, "%s: a scenario has no room for them", syntax.Amount(d.Dropped, "more step"))
	}
	top := &Node{Block: true}
	top.Set("version", Raw("1"))
	name := filepath.Base(d.O.File)
	if !strings.Contains(d.O.File, "://") { // otherwise it is a server
		name = strings.TrimSuffix(name, filepath.Ext(name))
	}
	top.Set("name", Plain(Clip(cmp.Or(strings.TrimSpace(OneLine(d.Name)), name), 80)))
	optional := func(key string, n *Node) {
		if n.Fields != nil || n.Items != nil {
			top.Set(key, n)
		}
	}
	d.forget()
	if d.pods != nil {
		d.cluster()
	}
	optional("params", d.Params)
	base := d.Base
	target := (&Node{gap: true})
	if base.IsZero() && d.Endpoints == nil {
		base = Lit("http://127.0.0.1:8080")
		target.Behind = d.O.Kind + " names no host; this is a guess"
		d.Tell(0, "no host is named; %s is a guess, set target.url", "http://127.0.0.1:8080")
	}
	if d.Endpoints != nil {
		top.Set("target", target.Set("endpoints", d.Endpoints))
	} else {
		top.Set("target", target.Set("url", Str(base)))
	}
	if d.TLS != nil {
		target.Set("tls", d.TLS)
	}
	if d.Units.Fields != nil {
		target.Set("units", d.Units)
	}
	if d.pods != nil {
		target.Set("kubernetes", d.pods)
	}
	d.guard(top)
	optional("data", d.Data)
	optional("setup", d.Setup)
	optional("load", d.Load)
	optional("chaos", d.Chaos)
	optional("teardown", d.Teardown)
	if len(d.Slo.Items) == 0 && len(d.Load.Fields) > 0 && !d.Judged {
		d.Slo.Items = append(d.Slo.Items, Plain("errors < 1%"))
	}
	optional("slo", d.Slo)
	d.finishNotes()
	return top
}

// text formats a complete draft as a scenario.
func (d *Builder) text(top *Node) string {
	var b strings.Builder
	fmt.Fprintln(&b, comment(fmt.Sprintf("Made by `brunt convert %s` of %s.", d.O.Kind, filepath.Base(d.O.File))))
	for _, s := range d.Env {
		fmt.Fprintln(&b, comment(fmt.Sprintf("The environment variable %s holds %s, which is not written down here.", s.Env,
			s.What)))
	}
	for _, line := range d.Head {
		fmt.Fprintln(&b, comment(line))
	}
	top.write(&b, 0, false)
	var out strings.Builder
	for line := range strings.Lines(b.String()) {
		if strings.HasPrefix(strings.TrimLeft(line, " "), "# ") {
			line = d.mask(line)
		}
		out.WriteString(line)
	}
	return out.String()
}

// finishNotes counts the notes beyond the limit, and masks the secrets in all notes.
func (d *Builder) finishNotes() {
	if d.more > 0 {
		d.Notes = append(d.Notes, Note{File: d.O.File, Text: fmt.Sprintf("and %d more of the kind", d.more)})
		d.more = 0
	}
	for i := range d.Notes {
		d.Notes[i].Text = d.mask(d.Notes[i].Text)
	}
}

// guard names the hosts beyond this machine, for the author to confirm.
func (d *Builder) guard(top *Node) {
	if len(d.chaos) > 0 {
		hosts := List()
		for _, h := range d.chaos {
			hosts.Items = append(hosts.Items, Str(h))
		}
		guard := (&Node{gap: true}).Set("allow", (&Node{}).Set("chaos", hosts))
		guard.Say("Faults reach what is named here. CONFIRM that they may.")
		top.Set("guard", guard)
		var names []string
		for _, h := range d.chaos {
			names = append(names, h.String())
		}
		d.Tell(0, "faults would reach %s: confirm that under guard.allow.chaos", strings.Join(names, ", "))
	}
	if len(d.allow) > 0 {
		hosts := List()
		var names []string
		for _, h := range d.allow {
			hosts.Items = append(hosts.Items, Str(h))
			names = append(names, h.String())
		}
		guard := top.Get("guard")
		if guard == nil {
			guard = (&Node{gap: true}).Set("allow", new(Node))
		}
		guard.Get("allow").Set("load", hosts)
		guard.Say("Load goes beyond this machine only to the hosts named here.")
		guard.Say("CONFIRM that you may load these hosts, and remove the others.")
		top.Set("guard", guard)
		d.Tell(0, "load would go to %s: confirm that under guard.allow.load", strings.Join(names, ", "))
	}
}

// forget removes unused params.
func (d *Builder) forget() {
	var b strings.Builder
	b.WriteString(d.Base.String())
	for _, h := range d.allow {
		b.WriteString(h.String())
	}
	for _, n := range []*Node{d.Data, d.Setup, d.Load, d.Chaos, d.Teardown} {
		n.write(&b, 0, false)
	}
	rest := b.String()
	d.Params.Fields = slices.DeleteFunc(d.Params.Fields,
		func(f field) bool { return !strings.Contains(rest, "${"+f.Key+"}") })
}

// SortedKeys returns the keys of a map in order.
func SortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
