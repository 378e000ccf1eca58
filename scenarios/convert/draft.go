package convert

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

// A draft is the scenario in the making.
type draft struct {
	o     Options
	notes []Note
	more  int // notes beyond mostNotes

	used    int // values and signs written so far, about
	bytes   int
	dropped int // steps for which there was no room

	secrets map[string]string // by value: the environment variable that stands for it
	env     []Secret

	head     []string // comments at the top
	params   *node
	base     text // scheme, host and what comes before every path
	origin   string
	tls      *node
	allow    []text // hosts beyond loopback
	data     *node
	setup    *node
	load     *node
	teardown *node
	slo      *node
}

func newDraft(o Options) *draft {
	top := func() *node { return &node{block: true, gap: true} }
	return &draft{o: o, secrets: map[string]string{}, params: top(), data: top(), setup: top(), load: top(), teardown: top(), slo: top()}
}

// Bounds on what is written, some way below those of the language, and on what is said.
const (
	mostValues = 40_000
	mostBytes  = 400 << 10
	mostNotes  = 200
)

// tell says something of a line of the source on the side only: 0 is no line in
// particular.
func (d *draft) tell(line int, format string, args ...any) {
	if len(d.notes) == mostNotes {
		d.more++
		return
	}
	d.notes = append(d.notes, Note{File: d.o.File, Line: line, Text: fmt.Sprintf(format, args...)})
}

// lose says what of a line can't be carried over: above the next step of a flow, and on
// the side.
func (d *draft) lose(flow *node, line int, format string, args ...any) {
	d.loseAt(&flow.pending, line, format, args...)
}

// loseAt says it in lines of comment.
func (d *draft) loseAt(above *[]string, line int, format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	d.tell(line, "%s", what)
	if len(d.notes) == mostNotes && d.more > 0 {
		return
	}
	place := ""
	if line > 0 {
		place = fmt.Sprintf(" (line %d)", line)
	}
	*above = append(*above, "not carried over"+place+": "+what)
}

// param makes a param of the scenario, which --set overrides, and gives the placeholder
// that stands for it. A name that is none gets one that is.
func (d *draft) param(name string, value *node, behind string) text {
	name = slug(name, "param")
	if d.params.get(name) == nil {
		value.behind = behind
		d.params.set(name, value)
	}
	return ref(name)
}

// slug makes a name of the language of any text.
func slug(s, otherwise string) string {
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

// unique gives name, with a number behind it if the map has a key of it.
func unique(in *node, name string) string {
	for n, out := 2, name; ; n++ {
		if in.get(out) == nil {
			return out
		}
		out = fmt.Sprintf("%s-%d", name, n)
	}
}

// at decides which base relative paths go to: the first that is named.
func (d *draft) at(u *url.URL) {
	if d.origin == "" {
		d.origin = originOf(u)
		d.base = lit(d.origin)
		d.reach(u)
	}
}

// place gives what a step writes for u: its path alone if it goes to the target.
func (d *draft) place(u *url.URL) text {
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	path = urlText(path)
	d.at(u)
	if originOf(u) == d.origin {
		return lit(path)
	}
	d.reach(u)
	return lit(originOf(u) + path)
}

// hostName is what a host may be called.
var hostName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,252}$`)

// isWeb tells whether a URL is one that load can go to.
func isWeb(u *url.URL) bool {
	if u.Scheme != "http" && u.Scheme != "https" || syntax.CheckPort(u.Port()) != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && ip.Zone() == "" || hostName.MatchString(u.Hostname())
}

// reach names a host beyond loopback to the guard.
func (d *draft) reach(u *url.URL) {
	host := u.Hostname()
	if port, err := strconv.Atoi(u.Port()); err == nil {
		host = net.JoinHostPort(host, strconv.Itoa(port))
	}
	d.reachAs(u, lit(host))
}

// reachAs names it as is given.
func (d *draft) reachAs(u *url.URL, as text) {
	if ip, err := netip.ParseAddr(u.Hostname()); scenarios.IsLocalhost(u.Hostname()) || err == nil && ip.Unmap().IsLoopback() {
		return
	}
	if !slices.ContainsFunc(d.allow, func(t text) bool { return t.String() == as.String() }) {
		d.allow = append(d.allow, as)
	}
}

// originOf is the scheme, host and port of a URL, without a port that the scheme means
// anyway.
func originOf(u *url.URL) string {
	host := strings.ToLower(u.Host)
	switch scheme := strings.ToLower(u.Scheme); {
	case scheme == "http" && strings.HasSuffix(host, ":80"):
		host = strings.TrimSuffix(host, ":80")
	case scheme == "https" && strings.HasSuffix(host, ":443"):
		host = strings.TrimSuffix(host, ":443")
	}
	return strings.ToLower(u.Scheme) + "://" + host
}

// beside gives a path of the source, as the scenario names it.
func (d *draft) beside(path string) string {
	path = strings.ReplaceAll(path, `\`, "/")
	if !filepath.IsAbs(path) {
		path = filepath.Join(d.o.From, filepath.FromSlash(path))
		if to, err := filepath.Rel(abs(d.o.To), abs(path)); err == nil {
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
func (d *draft) add(flow, step *node) {
	if step == nil {
		return
	}
	values, size := step.size()
	for _, c := range slices.Concat(flow.pending, step.above) {
		size += min(4*len(c), 4*mostComment) + 16
	}
	if d.used+values > mostValues || d.bytes+size > mostBytes {
		d.dropped++
		return
	}
	d.used, d.bytes = d.used+values, d.bytes+size
	step.above = append(flow.pending, step.above...)
	flow.pending = nil
	flow.items = append(flow.items, step)
}

// size is about how much of a file n takes: its values and signs, and its bytes.
func (n *node) size() (values, size int) {
	if n.yaml != "" {
		return 1, len(n.yaml) + 4
	}
	values, size = 3, 8
	for _, f := range n.fields {
		v, s := f.value.size()
		values, size = values+v+3, size+s+len(f.key)+8
	}
	for _, item := range n.items {
		v, s := item.size()
		values, size = values+v+1, size+s
	}
	return values, size
}

// arrivals makes a load of a source that says nothing of how often: at a rate, for a
// time, both of them params. What is what the rate counts.
func (d *draft) arrivals(rate, what string) *node {
	return (&node{block: true}).
		set("executor", raw("constant-arrival-rate")).
		set("rate", str(d.param("rate", raw(rate), what+"; a guess, as "+d.o.Kind+" says nothing of how often"))).
		set("duration", str(d.param("duration", raw("60s"), "")))
}

// think is a pause.
func think(from, to time.Duration) *node {
	s := quantity.FormatDuration(from)
	if to > from {
		s += ".." + quantity.FormatDuration(to)
	}
	return (&node{}).set("think", raw(s))
}

// scenario writes the draft down.
func (d *draft) scenario() string {
	if d.dropped > 0 {
		d.head = append(d.head, fmt.Sprintf("not carried over: %s, for which a scenario has no room; divide %s.", scenarios.Amount(d.dropped, "more step"), filepath.Base(d.o.File)))
		d.tell(0, "%s: a scenario has no room for them", scenarios.Amount(d.dropped, "more step"))
	}
	if d.more > 0 {
		d.notes = append(d.notes, Note{File: d.o.File, Text: fmt.Sprintf("and %d more of the kind", d.more)})
	}
	top := &node{block: true}
	top.set("version", raw("1"))
	name := strings.TrimSuffix(filepath.Base(d.o.File), filepath.Ext(d.o.File))
	top.set("name", plain(clip(name, 80)))
	optional := func(key string, n *node) {
		if n.fields != nil || n.items != nil {
			top.set(key, n)
		}
	}
	d.forget()
	optional("params", d.params)
	base := d.base
	target := (&node{gap: true})
	if base.isZero() {
		base = lit("http://127.0.0.1:8080")
		target.behind = d.o.Kind + " names no host; this is a guess"
		d.tell(0, "no host is named; %s is a guess, set target.url", "http://127.0.0.1:8080")
	}
	top.set("target", target.set("url", str(base)))
	if d.tls != nil {
		target.set("tls", d.tls)
	}
	if len(d.allow) > 0 {
		hosts := list()
		var names []string
		for _, h := range d.allow {
			hosts.items = append(hosts.items, str(h))
			names = append(names, h.String())
		}
		guard := (&node{gap: true}).set("allow", (&node{}).set("load", hosts))
		guard.say("Load goes beyond this machine only to what is named here.")
		guard.say("CONFIRM that you may load these hosts, and take out those that you may not.")
		top.set("guard", guard)
		d.tell(0, "load would go to %s: confirm that under guard.allow.load", strings.Join(names, ", "))
	}
	optional("data", d.data)
	optional("setup", d.setup)
	optional("load", d.load)
	optional("teardown", d.teardown)
	optional("slo", d.slo)

	var b strings.Builder
	fmt.Fprintln(&b, comment(fmt.Sprintf("Made by `brunt convert %s` of %s.", d.o.Kind, filepath.Base(d.o.File))))
	for _, s := range d.env {
		fmt.Fprintln(&b, comment(fmt.Sprintf("The environment variable %s holds %s, which is not written down here.", s.Env, s.What)))
	}
	for _, line := range d.head {
		fmt.Fprintln(&b, comment(line))
	}
	top.write(&b, 0, false)
	return b.String()
}

// forget takes out params that nothing names.
func (d *draft) forget() {
	var b strings.Builder
	b.WriteString(d.base.String())
	for _, h := range d.allow {
		b.WriteString(h.String())
	}
	for _, n := range []*node{d.data, d.setup, d.load, d.teardown} {
		n.write(&b, 0, false)
	}
	rest := b.String()
	d.params.fields = slices.DeleteFunc(d.params.fields, func(f field) bool { return !strings.Contains(rest, "${"+f.key+"}") })
}

// sortedKeys gives the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
