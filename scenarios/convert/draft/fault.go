package draft

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"brunt/scenarios/quantity"
)

// An experiment holds the parts of a scenario besides the load.
type experiment struct {
	reader // of its documents

	Units    *Node // of the target: containers that are already running
	Chaos    *Node
	Slo      *Node // errors < 1% unless a converter sets another
	Probes   *Node // the flow for a source without a load; nil: a guessed one
	Requests int   // number of requests that the objectives need, for a source without a load

	chaos []Text        // hosts beyond loopback that faults call
	until time.Duration // the end of the last fault
}

// A Fault is a fault of the source. The draft places it on the time axis after the previous faults.
type Fault struct {
	Name     string        // is changed to a valid and unique name
	Line     int           // in the source
	Kind     string        // such as network.latency
	Settings *Node         // of the kind
	For      time.Duration // zero: the fault ends by itself
	Guessed  bool          // the source does not say how long it lasts
	Every    time.Duration // time from injection to injection; zero: once
	Repeat   int           // occurrences, with Every
	After    time.Duration // extra time before it
}

// Times of faults. There is room after each fault, because a fault is judged by the time after it too.
const (
	firstFault   = 20 * time.Second
	betweenFault = 20 * time.Second
	oneShot      = 10 * time.Second // time for a unit to come back
	GuessedFor   = 10 * time.Second // duration of a fault if the source has none
	MostRepeats  = 100              // largest number of occurrences of a fault
)

// Inject adds a fault and returns its node, to which the caller may add comments on lost parts.
func (d *Builder) Inject(f Fault) *Node {
	n := new(Node)
	begin := max(d.until+betweenFault, firstFault) + f.After
	n.Set("at", Raw(quantity.FormatDuration(begin)))
	takes := oneShot
	if f.For > 0 {
		n.Set("for", Raw(quantity.FormatDuration(f.For)))
		takes = f.For
	}
	if f.Every > 0 && f.Repeat > 1 {
		every := max(f.Every, takes+time.Second)
		n.Set("every", Raw(quantity.FormatDuration(every))).Set("repeat", Number(f.Repeat))
		if every > f.Every {
			d.LoseAt(&n.Above, f.Line, "it is repeated each %s, as one injection is over before the next begins",
				quantity.FormatDuration(every))
		}
		takes += every * time.Duration(f.Repeat-1)
	}
	d.until = begin + takes
	settings := f.Settings
	if settings == nil {
		settings = new(Node)
	}
	n.Set(f.Kind, settings)
	if f.Guessed {
		n.Above = append(n.Above, fmt.Sprintf("%s is a guess: %s does not say how long it lasts.",
			quantity.FormatDuration(f.For), d.O.Kind))
	}
	d.Chaos.Set(Unique(d.Chaos, Slug(f.Name, "fault")), n)
	return n
}

// NoPods is the comment at the top of a scenario whose source breaks Kubernetes pods.
const NoPods = "brunt breaks containers of a Docker engine: those under target.units carry the labels of the pods. " +
	"Give yours these, or select them otherwise."

// Lost reports, at the top of the scenario, a part of the source that becomes no fault at all.
func (d *Builder) Lost(line int, format string, args ...any) {
	d.LoseAt(&d.Head, line, format, args...)
}

// Unit adds the running containers that a selector finds to target.units, and returns their name. Equal selectors
// share one name.
func (d *Builder) Unit(name string, selector *Node) string {
	text, _ := selector.inline(mostLine)
	for _, f := range d.Units.Fields {
		if have, _ := f.Value.inline(mostLine); have == text {
			return f.Key
		}
	}
	name = Unique(d.Units, Slug(name, "unit"))
	d.Units.Set(name, selector)
	return name
}

// Container returns the name of a running container.
func (d *Builder) Container(name string) string {
	return d.Unit(name, (&Node{}).Set("container", Plain(name)))
}

// Labelled returns the name of the running containers with labels.
func (d *Builder) Labelled(labels map[string]string) string {
	n, name := new(Node), ""
	for _, k := range SortedKeys(labels) {
		n.Set(k, Plain(labels[k]))
		if name == "" || strings.HasSuffix(k, "app") || strings.HasSuffix(k, "name") {
			name = labels[k]
		}
	}
	return d.Unit(name, (&Node{}).Set("labels", n))
}

// guessLoad adds a guessed load for a source that has only faults.
func (d *Builder) guessLoad() {
	lasts, rate := d.until+betweenFault, 50
	if d.Requests > 0 { // with some reserve
		lasts = max(lasts, min(time.Duration(1+d.Requests/rate/8)*10*time.Second, 10*time.Minute))
		rate = max(rate, int(float64(d.Requests)*1.2/lasts.Seconds())+1)
	}
	load := d.Arrivals(fmt.Sprintf("%d/s", rate), "requests a second").Set("duration", Raw(quantity.FormatDuration(lasts)))
	flow := d.Probes
	if flow == nil {
		flow = List((&Node{}).Set("get", Plain("/")))
	}
	load.Say(d.O.Kind +
		" has no load: this one is a guess. Put the requests of your users here, or convert them from another source.")
	d.Load.Set("users", load.Set("flow", flow))
	d.Params.Fields = slices.DeleteFunc(d.Params.Fields, func(f field) bool { return f.Key == "duration" })
	d.Tell(0, "%s has no load: the one in the scenario is a guess", d.O.Kind)
}
