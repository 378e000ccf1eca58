package draft

import (
	"cmp"
	"fmt"
	"regexp"
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
	Requests int   // number of requests that the objectives need, for a source without a load

	chaos []Text         // hosts beyond loopback, and namespaces of pods, that faults reach
	until time.Duration  // the end of the last fault that the next one waits for
	last  time.Duration  // the end of all faults
	lines map[string]int // of the source, by the names of faults

	pods      *Node // of the target: pods that are already running; nil if there are none
	namespace string
	selected  map[selection]string // names
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
	Once     bool          // nothing takes it back, so that it takes no duration, whatever its kind
}

// Times of faults. There is room after each fault, because a fault is judged by the time after it too.
const (
	firstFault   = 20 * time.Second
	betweenFault = 20 * time.Second
	oneShot      = 10 * time.Second // time for a unit to come back
	GuessedFor   = 10 * time.Second // duration of a fault if the source has none
	MostRepeats  = 100              // largest number of occurrences of a fault
)

// oneShots are the kinds of faults that end by themselves.
var oneShots = []string{"container.restart", "network.reset", "pod.delete", "process.crash"}

// OneShot reports whether the fault ends by itself, so that it takes no duration.
func (f *Fault) OneShot() bool { return f.Once || slices.Contains(oneShots, f.Kind) }

// Inject adds a fault and returns its node, to which the caller may add comments on lost parts. A fault that ends by
// itself loses its duration.
func (d *Builder) Inject(f Fault) *Node {
	n := new(Node)
	if f.OneShot() {
		if f.For > 0 && !f.Guessed {
			d.LoseAt(&n.Above, f.Line, "%s of %s: it is injected at one instant; `every` and `repeat` do it again",
				quantity.FormatDuration(f.For), f.Kind)
		}
		f.For, f.Guessed = 0, false
	}
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
	d.last = max(d.last, d.until)
	settings := f.Settings
	if settings == nil {
		settings = new(Node)
	}
	n.Set(f.Kind, settings)
	if f.Guessed {
		n.Above = append(n.Above, fmt.Sprintf("%s is a guess: %s does not say how long it lasts.",
			quantity.FormatDuration(f.For), d.O.Kind))
	}
	name := Unique(d.Chaos, Slug(f.Name, "fault"))
	d.Chaos.Set(name, n)
	d.lines[name] = f.Line
	return n
}

// Wait delays the next fault.
func (d *Builder) Wait(by time.Duration) { d.until += by }

// WaitUntil delays the next fault to a time after the begin of the load. It reports false if the fault comes later.
func (d *Builder) WaitUntil(at time.Duration) bool {
	if max(d.until+betweenFault, firstFault) > at {
		return false
	}
	d.until = at - betweenFault
	return true
}

// Together adds faults side by side: those of each branch begin with those of the others. What follows waits for all.
func (d *Builder) Together(branches ...func()) {
	begin, end := d.until, d.until
	for _, add := range branches {
		d.until = begin
		add()
		end = max(end, d.until)
	}
	d.until = end
}

// isNamespace matches names of namespaces.
var isNamespace = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$`)

// A Pod selects pods of a cluster.
type Pod struct {
	Name      string            // of the service that stands for the pods; empty is the value of a label
	Namespace string            // empty is the one of the other pods
	Labels    map[string]string // that the pods have
	Container string            // whose processes faults hit; empty is the only or the default one
}

// Pods returns the name of the service that stands for pods. Equal selections share one name. Lost says why the
// scenario can't have these pods.
func (d *Builder) Pods(p Pod) (name, lost string) {
	if d.Units.Fields != nil {
		return "", mixed
	}
	if p.Namespace != "" && !isNamespace.MatchString(p.Namespace) {
		return "", fmt.Sprintf("pods in the namespace %s, which is not the name of one", Clip(p.Namespace, 60))
	}
	if d.namespace = cmp.Or(d.namespace, p.Namespace); p.Namespace != "" && p.Namespace != d.namespace {
		return "", fmt.Sprintf("pods in the namespace %s: this scenario has those in %s; convert the others apart",
			p.Namespace, d.namespace)
	}
	if d.pods == nil {
		d.pods = (&Node{}).Set("context", Raw(`"${context}"`)).Set("namespace", nil).Set("services", &Node{Block: true})
	}
	labels := new(Node)
	for _, k := range SortedKeys(p.Labels) {
		labels.Set(k, Plain(p.Labels[k]))
	}
	selector := (&Node{}).Set("pods", labels)
	if p.Container != "" {
		selector.Set("container", Plain(p.Container))
	}
	name = Slug(cmp.Or(p.Name, nameOf(p.Labels)), "pods")
	if name == "load" || name == "target" {
		name = "pods-" + name
	}
	return d.named(d.pods.Get("services"), name, selector), ""
}

// mixed says why there is no fault on containers beside one on pods.
const mixed = "pods and containers of a Docker engine: a scenario breaks the ones or the others; convert them apart"

// cluster adds the param and the permission that faults on pods need.
func (d *Builder) cluster() {
	d.Params.Set("context", Plain("kind-kind"))
	d.Params.Get("context").Behind = "a context of your kubeconfig; a guess, as " + d.O.Kind + " names none"
	if d.namespace == "" {
		d.namespace = "default"
		d.Tell(0, "no namespace is named: default is a guess, set target.kubernetes.namespace and guard.allow.chaos")
	}
	d.pods.Set("namespace", Plain(d.namespace))
	d.chaos = append(d.chaos, Join(Lit("kubernetes/"), Ref("context"), Lit("/"+d.namespace)))
	d.Tell(0, "which cluster is meant: set params.context, or --set context=NAME; kind-kind is a guess")
}

// Lost reports, at the top of the scenario, a part of the source that becomes no fault at all.
func (d *Builder) Lost(line int, format string, args ...any) {
	d.LoseAt(&d.Head, line, format, args...)
}

// Unit adds the running containers that a selector finds to target.units, and returns their name. Equal selectors
// share one name.
func (d *Builder) Unit(name string, selector *Node) string {
	return d.named(d.Units, Slug(name, "unit"), selector)
}

// A selection is a selector in a map, as text.
type selection struct {
	in   *Node
	text string
}

// named adds a selector to a map under a unique name, unless an equal one is there, and returns its name.
func (d *Builder) named(in *Node, name string, selector *Node) string {
	text, _ := selector.inline(mostSelector)
	one := selection{in, text}
	if d.selected[one] == "" {
		d.selected[one] = Unique(in, name)
		in.Set(d.selected[one], selector)
	}
	return d.selected[one]
}

// mostSelector is the length up to which selectors are compared.
const mostSelector = 1 << 20

// Container returns the name of a running container.
func (d *Builder) Container(name string) string {
	return d.Unit(name, (&Node{}).Set("container", Plain(name)))
}

// nameOf returns the value of the label that names an application.
func nameOf(labels map[string]string) (name string) {
	for _, k := range SortedKeys(labels) {
		if name == "" || strings.HasSuffix(k, "app") || strings.HasSuffix(k, "name") {
			name = labels[k]
		}
	}
	return name
}

// guessLoad adds a guessed load for a source that has only faults.
func (d *Builder) guessLoad() {
	lasts, rate := d.last+betweenFault, 50
	if d.Requests > 0 { // with some reserve
		lasts = max(lasts, min(time.Duration(1+d.Requests/rate/8)*10*time.Second, 10*time.Minute))
		rate = max(rate, int(float64(d.Requests)*1.2/lasts.Seconds())+1)
	}
	load := d.Arrivals(fmt.Sprintf("%d/s", rate), "requests a second").Set("duration", Raw(quantity.FormatDuration(lasts)))
	load.Say(d.O.Kind +
		" has no load: this one is a guess. Put the requests of your users here, or convert them from another source.")
	d.Load.Set("users", load.Set("flow", List((&Node{}).Set("get", Plain("/")))))
	d.Params.Fields = slices.DeleteFunc(d.Params.Fields, func(f field) bool { return f.Key == "duration" })
	d.Tell(0, "%s has no load: the one in the scenario is a guess", d.O.Kind)
}
