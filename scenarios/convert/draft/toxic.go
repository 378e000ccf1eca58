package draft

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// A Toxic is a toxic of toxiproxy.
type Toxic struct {
	Name, Type, Proxy string
	Stream            string // upstream, or downstream, which is the default
	Toxicity          string // the share of connections; "" means all
	Line              int
	Ends              *Node // from and to of the link
	Attributes        *syntax.Node
	In                *syntax.Node // its unread parts are reported; nil: the caller reports them

	For   time.Duration // zero: the source does not say
	After time.Duration
}

// Toxic adds the fault of a toxic. If there is none, it reports why and returns nil.
func (d *Builder) Toxic(t Toxic) *Node {
	s := t.Ends
	if t.Name == "" {
		t.Name = t.Type
	}
	if !strings.HasPrefix(t.Name, t.Proxy) {
		t.Name = t.Proxy + "-" + t.Name
	}
	f := Fault{Name: t.Name, Line: t.Line, For: t.For, After: t.After, Settings: s}
	if t.For == 0 {
		f.For, f.Guessed = GuessedFor, true
	}
	kind, directed, lost := d.toxic(t, s)
	if share := Percent(t.Toxicity, true); lost == "" && share != nil && share.YAML == "0%" {
		lost = "the toxicity 0, which hits no connection"
	}
	if lost != "" {
		d.Lost(t.Line, "%s: %s", t.Name, lost)
		d.Skip(t.In)
		return nil
	}
	f.Kind = kind
	if t.Stream != "" && t.Stream != "upstream" && t.Stream != "downstream" {
		d.Lost(t.Line, "the stream %s: it is taken for downstream", Clip(t.Stream, 40))
	}
	if directed {
		s.Set("direction", Raw(map[bool]string{true: "request", false: "response"}[t.Stream == "upstream"]))
	}
	n := d.Inject(f)
	lose := func(format string, args ...any) { d.LoseAt(&n.Above, t.Line, format, args...) }
	delay := d.Text(t.Attributes, "delay")
	if _, each, _ := Duration(delay, time.Microsecond); kind == "tcp.slicer" && each < leastSlice {
		lose("a delay of %s µs between pieces: brunt takes at least %s",
			cmp.Or(Harmless("delay", delay), "0"), quantity.FormatDuration(leastSlice))
	}
	switch timeout := d.Text(t.Attributes, "timeout"); {
	case kind == "network.blackhole":
		lose("the stream %s: it acts on both directions", cmp.Or(t.Stream, "downstream"))
		if timeout != "0" && timeout != "" {
			lose("connections are not closed after %s ms: they hang until the fault ends", timeout)
		}
	case kind == "network.reset":
		lose("the stream %s: it acts on both directions", cmp.Or(t.Stream, "downstream"))
		lose("it resets all open connections at one instant, but the toxic resets each connection %s ms after data comes; "+
			"`every` and `repeat` do it again",
			cmp.Or(timeout, "0"))
	}
	switch share := Percent(t.Toxicity, true); {
	case t.Toxicity == "" || share != nil && share.YAML == "100%":
	case share != nil && share.YAML != "0%" && strings.HasPrefix(kind, "tcp."):
		s.Set("percent", share)
	default:
		lose("the toxicity %s: every connection is hit", t.Toxicity)
	}
	for _, rest := range append(d.Rest(t.Attributes), d.Rest(t.In)...) {
		lose("%s", rest)
	}
	return n
}

// leastSlice is the shortest time between pieces that tcp.slicer takes.
const leastSlice = 50 * time.Microsecond

// toxic sets the settings for a type of toxic. Directed means that the fault takes a direction. Lost says why there
// is no fault.
func (d *reader) toxic(t Toxic, s *Node) (kind string, directed bool, lost string) {
	number := func(key string) string { return d.Text(t.Attributes, key) }
	switch t.Type {
	case "latency":
		s.SetDuration("delay", number("latency"), time.Millisecond).SetDuration("jitter", number("jitter"), time.Millisecond)
		if s.Get("delay") == nil {
			lost = "a latency of 0 ms, or none"
		}
		return "network.latency", true, lost
	case "bandwidth":
		if s.SetRate(number("rate") + "kbps"); s.Get("rate") == nil {
			lost = "a bandwidth of 0, or none: take network.blackhole"
		}
		return "network.bandwidth", true, lost
	case "timeout":
		return "network.blackhole", false, ""
	case "reset_peer":
		return "network.reset", false, ""
	case "slow_close":
		if s.SetDuration("delay", number("delay"), time.Millisecond); s.Get("delay") == nil {
			lost = "a delay of 0 ms, or none"
		}
		return "tcp.slow_close", true, lost
	case "slicer":
		if s.SetWhole("size", number("average_size")); s.Get("size") == nil {
			lost = "it does not say how large the pieces are"
		}
		s.SetWhole("variation", number("size_variation"))
		_, delay, _ := Duration(number("delay"), time.Microsecond)
		s.Set("delay", Raw(quantity.FormatDuration(max(delay, leastSlice))))
		return "tcp.slicer", true, lost
	case "limit_data":
		if s.SetSize(number("bytes")); s.Get("bytes") == nil {
			lost = "a limit of 0 bytes, or none: take network.blackhole"
		}
		return "tcp.limit", true, lost
	}
	return "", false, "a toxic of the type " + strconv.Quote(Clip(t.Type, 40))
}
