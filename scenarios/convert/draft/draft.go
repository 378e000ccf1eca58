// Package draft is a scenario in the making, for the converters of other tools' files: nodes of YAML
// with comments, requests, texts whose placeholders are escaped, and secrets that become ${env.NAME}.
//
//	Converter.Convert(d, source) -> d.Step, d.Add, d.Lose -> Scenario: text, notes, secrets
package draft

import (
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
	"time"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// A Draft is the scenario in the making.
type Draft struct {
	O     Options
	Notes []Note
	more  int // Notes beyond mostNotes

	used    int // values and signs written so far, about
	bytes   int
	Dropped int // steps for which there was no room

	secrets map[string]string // by value: the environment variable that stands for it
	Env     []Secret

	Head     []string // comments at the top
	Params   *Node
	Base     Text // scheme, host and what comes before every path
	Origin   string
	TLS      *Node
	allow    []Text // hosts beyond loopback
	Data     *Node
	Setup    *Node
	Load     *Node
	Teardown *Node
	Slo      *Node
}

func NewDraft(o Options) *Draft {
	top := func() *Node { return &Node{Block: true, gap: true} }
	return &Draft{O: o, secrets: map[string]string{}, Params: top(), Data: top(), Setup: top(), Load: top(), Teardown: top(), Slo: top()}
}

// Bounds on what is written, some way below those of the language, and on what is said.
const (
	mostValues = 40_000
	mostBytes  = 400 << 10
	mostNotes  = 200
)

// Tell says something of a line of the source on the side only: 0 is no line in
// particular.
func (d *Draft) Tell(line int, format string, args ...any) {
	if len(d.Notes) == mostNotes {
		d.more++
		return
	}
	d.Notes = append(d.Notes, Note{File: d.O.File, Line: line, Text: fmt.Sprintf(format, args...)})
}

// Lose says what of a line can't be carried over: above the next step of a flow, and on
// the side.
func (d *Draft) Lose(flow *Node, line int, format string, args ...any) {
	d.LoseAt(&flow.Pending, line, format, args...)
}

// LoseAt says it in lines of comment.
func (d *Draft) LoseAt(above *[]string, line int, format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	d.Tell(line, "%s", what)
	if len(d.Notes) == mostNotes && d.more > 0 {
		return
	}
	place := ""
	if line > 0 {
		place = fmt.Sprintf(" (line %d)", line)
	}
	*above = append(*above, "not carried over"+place+": "+what)
}

// Param makes a param of the scenario, which --set overrides, and gives the placeholder
// that stands for it. A name that is none gets one that is.
func (d *Draft) Param(name string, value *Node, behind string) Text {
	name = Slug(name, "param")
	if d.Params.Get(name) == nil {
		value.Behind = behind
		d.Params.Set(name, value)
	}
	return Ref(name)
}

// Slug makes a name of the language of any text.
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

// Unique returns name, with a number behind it if the map has a key of it.
func Unique(in *Node, name string) string {
	for n, out := 2, name; ; n++ {
		if in.Get(out) == nil {
			return out
		}
		out = fmt.Sprintf("%s-%d", name, n)
	}
}

// at decides which base relative paths go to: the first that is named.
func (d *Draft) At(u *url.URL) {
	if d.Origin == "" {
		d.Origin = OriginOf(u)
		d.Base = Lit(d.Origin)
		d.Reach(u)
	}
}

// Place returns what a step writes for u: its path alone if it goes to the target.
func (d *Draft) Place(u *url.URL) Text {
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	path = URLText(path)
	d.At(u)
	if OriginOf(u) == d.Origin {
		return Lit(path)
	}
	d.Reach(u)
	return Lit(OriginOf(u) + path)
}

// HostName is what a host may be called.
var HostName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,252}$`)

// IsWeb reports whether a URL is one that load can go to.
func IsWeb(u *url.URL) bool {
	if u.Scheme != "http" && u.Scheme != "https" || syntax.CheckPort(u.Port()) != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && ip.Zone() == "" || HostName.MatchString(u.Hostname())
}

// Reach names a host beyond loopback to the guard.
func (d *Draft) Reach(u *url.URL) {
	host := u.Hostname()
	if port, err := strconv.Atoi(u.Port()); err == nil {
		host = net.JoinHostPort(host, strconv.Itoa(port))
	}
	d.ReachAs(u, Lit(host))
}

// ReachAs names it as is given.
func (d *Draft) ReachAs(u *url.URL, as Text) {
	if ip, err := netip.ParseAddr(u.Hostname()); scenarios.IsLocalhost(u.Hostname()) || err == nil && ip.Unmap().IsLoopback() {
		return
	}
	if !slices.ContainsFunc(d.allow, func(t Text) bool { return t.String() == as.String() }) {
		d.allow = append(d.allow, as)
	}
}

// OriginOf is the scheme, host and port of a URL, without a port that the scheme means
// anyway.
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

// Beside returns a path of the source, as the scenario names it.
func (d *Draft) Beside(path string) string {
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

// add adds a step to a flow while there is room for it.
func (d *Draft) Add(flow, step *Node) {
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

// Size is about how much of a file n takes: its values and signs, and its bytes.
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

// Arrivals makes a load of a source that says nothing of how often: at a rate, for a
// time, both of them params. What is what the rate counts.
func (d *Draft) Arrivals(rate, what string) *Node {
	return (&Node{Block: true}).
		Set("executor", Raw("constant-arrival-rate")).
		Set("rate", Str(d.Param("rate", Raw(rate), what+"; a guess, as "+d.O.Kind+" says nothing of how often"))).
		Set("duration", Str(d.Param("duration", Raw("60s"), "")))
}

// Think is a pause.
func Think(from, to time.Duration) *Node {
	s := quantity.FormatDuration(from)
	if to > from {
		s += ".." + quantity.FormatDuration(to)
	}
	return (&Node{}).Set("think", Raw(s))
}

// Scenario writes the draft down.
func (d *Draft) Scenario() string {
	if d.Dropped > 0 {
		d.Head = append(d.Head, fmt.Sprintf("not carried over: %s, for which a scenario has no room; divide %s.", scenarios.Amount(d.Dropped, "more step"), filepath.Base(d.O.File)))
		d.Tell(0, "%s: a scenario has no room for them", scenarios.Amount(d.Dropped, "more step"))
	}
	if d.more > 0 {
		d.Notes = append(d.Notes, Note{File: d.O.File, Text: fmt.Sprintf("and %d more of the kind", d.more)})
	}
	top := &Node{Block: true}
	top.Set("version", Raw("1"))
	name := strings.TrimSuffix(filepath.Base(d.O.File), filepath.Ext(d.O.File))
	top.Set("name", Plain(Clip(name, 80)))
	optional := func(key string, n *Node) {
		if n.Fields != nil || n.Items != nil {
			top.Set(key, n)
		}
	}
	d.forget()
	optional("params", d.Params)
	base := d.Base
	target := (&Node{gap: true})
	if base.IsZero() {
		base = Lit("http://127.0.0.1:8080")
		target.Behind = d.O.Kind + " names no host; this is a guess"
		d.Tell(0, "no host is named; %s is a guess, set target.url", "http://127.0.0.1:8080")
	}
	top.Set("target", target.Set("url", Str(base)))
	if d.TLS != nil {
		target.Set("tls", d.TLS)
	}
	if len(d.allow) > 0 {
		hosts := List()
		var names []string
		for _, h := range d.allow {
			hosts.Items = append(hosts.Items, Str(h))
			names = append(names, h.String())
		}
		guard := (&Node{gap: true}).Set("allow", (&Node{}).Set("load", hosts))
		guard.Say("Load goes beyond this machine only to what is named here.")
		guard.Say("CONFIRM that you may load these hosts, and take out those that you may not.")
		top.Set("guard", guard)
		d.Tell(0, "load would go to %s: confirm that under guard.allow.load", strings.Join(names, ", "))
	}
	optional("data", d.Data)
	optional("setup", d.Setup)
	optional("load", d.Load)
	optional("teardown", d.Teardown)
	optional("slo", d.Slo)

	var b strings.Builder
	fmt.Fprintln(&b, comment(fmt.Sprintf("Made by `brunt convert %s` of %s.", d.O.Kind, filepath.Base(d.O.File))))
	for _, s := range d.Env {
		fmt.Fprintln(&b, comment(fmt.Sprintf("The environment variable %s holds %s, which is not written down here.", s.Env, s.What)))
	}
	for _, line := range d.Head {
		fmt.Fprintln(&b, comment(line))
	}
	top.write(&b, 0, false)
	return b.String()
}

// forget takes out params that nothing names.
func (d *Draft) forget() {
	var b strings.Builder
	b.WriteString(d.Base.String())
	for _, h := range d.allow {
		b.WriteString(h.String())
	}
	for _, n := range []*Node{d.Data, d.Setup, d.Load, d.Teardown} {
		n.write(&b, 0, false)
	}
	rest := b.String()
	d.Params.Fields = slices.DeleteFunc(d.Params.Fields, func(f field) bool { return !strings.Contains(rest, "${"+f.Key+"}") })
}

// SortedKeys returns the keys of a map in order.
func SortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
