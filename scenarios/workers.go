package scenarios

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// MostWorkers is the largest number of workers.
const MostWorkers = 64

// Workers says which processes make the load. A number alone is short for {count: N}. The zero value is brunt's own
// process alone.
type Workers struct {
	syntax.Place
	Count int `yaml:"count,required,min=1,max=64"` // number of workers, each of which makes a part of the load
	// where the workers run: process, on this machine, or kubernetes, as the pods of a Job; default: kubernetes if
	// `context`, `namespace` or `image` is set, else process
	On string `yaml:"on,oneof=process|kubernetes"`
	// context of the kubeconfig; default: the current one, else the service account of the pod that brunt runs in
	Context   string `yaml:"context"`
	Namespace string `yaml:"namespace"` // namespace of the pods, which must exist; default: brunt
	// image of the pods; default: $BRUNT_IMAGE, else the image that `brunt image` writes
	Image string `yaml:"image"`
	// Secrets of the namespace, with which nodes fetch the image
	PullSecrets []string `yaml:"pull_secrets"`
	// variables of the environment of the pods, by name: a text, or {secret: NAME, key: KEY} for a value of a Secret of
	// the namespace. Variables that the scenario names by ${env.NAME} come from the environment of brunt itself
	Env map[string]WorkerVariable `yaml:"env"`
	// number of processors that a pod requests. The pod has no CPU limit, because a quota could stop it at any
	// moment; default: 1
	CPU quantity.Processors `yaml:"cpu,positive,max=256"`
	// CPU limit of a pod, in processors, for namespaces that demand one; default: none
	CPULimit quantity.Processors `yaml:"cpu_limit,positive,max=256"`
	// memory of a pod, which is killed if it uses more; default: 1GiB
	Memory quantity.Size     `yaml:"memory,positive"`
	Nodes  map[string]string `yaml:"nodes"` // labels that a node must have for pods to run on it
	// affinity of the pods to nodes and to other pods, as in the spec of a pod: nodeAffinity, podAffinity, podAntiAffinity
	Affinity WorkerAffinity `yaml:"affinity"`
	// taints that the pods tolerate, as kubectl writes them: dedicated=load:NoSchedule
	Tolerate []string `yaml:"tolerate"`
	// spread the pods evenly over hosts or zones, as far as the cluster can, or not at all; default: host
	Spread string `yaml:"spread,oneof=host|zone|none"`
	// time limit for all pods to join the run; beyond it the run is invalid and says what each pod waits for;
	// default: 2m
	Join quantity.Duration `yaml:"join,positive"`
	// how long a pod without contact to its run goes on with the load, and how long the run waits for a pod that it
	// can't reach; default: 30s
	Patience quantity.Duration `yaml:"patience,positive"`
	// how far the clock of a pod may be off, and how uncertain it may be in a run with faults; default: 10ms
	Skew quantity.Duration `yaml:"skew,positive"`
	// what to do when a worker is lost: stop ends the run; default: continue
	Lost string `yaml:"lost,oneof=stop|continue"`
}

// plainWorkers is [Workers] without DecodeNode, for decoding key by key.
type plainWorkers Workers

func (w *Workers) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if n.Kind != syntax.Map && n.Kind != syntax.Null {
		n = &syntax.Node{Pos: n.Pos, Kind: syntax.Map, Fields: []syntax.Field{{Key: "count", Pos: n.Pos, Value: n}}}
	}
	syntax.Decode(n, (*plainWorkers)(w), m)
	if n.Kind == syntax.Null || m.Partial {
		return
	}
	if w.On == "" {
		w.On = "process"
		if w.Context != "" || w.Namespace != "" || w.Image != "" {
			w.On = "kubernetes"
		}
	}
	for _, key := range syntax.Keys(plainWorkers{}) {
		if w.On == "process" && key != "count" && key != "on" && key != "lost" && w.Has(key) {
			m.AddHint(w.Of(key), "on: kubernetes", "`%s` is of workers on kubernetes, and these are processes of this machine",
				key)
		}
	}
	for _, t := range w.Tolerate {
		if _, err := ParseToleration(t); err != nil {
			m.Add(w.Of("tolerate"), "%v", err)
		}
	}
	for name := range w.Env {
		if !syntax.EnvName.MatchString(name) || slices.Contains([]string{"GOMAXPROCS", "GOMEMLIMIT"}, name) {
			m.Add(w.Of("env"), "%q can't be set: a name has letters, digits and _, and `cpu` and `memory` set GOMAXPROCS and "+
				"GOMEMLIMIT", syntax.Clip(name, 60))
		}
	}
	if w.On == "kubernetes" {
		w.fill()
	}
}

// A WorkerVariable is the value of a variable of the environment of a worker's pod: a text, or a value of a Secret.
type WorkerVariable struct {
	Text   string `yaml:"-"`
	Secret string `yaml:"secret,required"` // name of a Secret in the namespace of the workers
	Key    string `yaml:"key,required"`    // the key of the value in it
}

// plainVariable is [WorkerVariable] without DecodeNode, for decoding key by key.
type plainVariable WorkerVariable

func (v *WorkerVariable) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if n.Kind == syntax.Map {
		syntax.Decode(n, (*plainVariable)(v), m)
		return
	}
	if ref := n.Dynamic(); ref != nil {
		m.AddHint(n.Pos, "{secret: NAME, key: KEY} names a value that only the cluster holds",
			"%s: the value would stand in the specs of the pods, which others read", ref)
		return
	}
	v.Text, _ = n.Text(m)
}

// SchemaWith implements [syntax.DescribedSchemer]: the text, or the Secret.
func (*WorkerVariable) SchemaWith(doc syntax.Describer) syntax.Schema {
	return syntax.Schema{"anyOf": []any{
		syntax.Schema{"type": []any{"string", "number", "boolean"}},
		syntax.StructSchema(reflect.TypeFor[WorkerVariable](), doc),
	}}
}

// A WorkerAffinity is the affinity of the workers' pods as JSON, as Kubernetes writes it. Empty means that there is
// none.
type WorkerAffinity json.RawMessage

// affinities are the parts of an affinity, with what each says.
var affinities = map[string]string{
	"nodeAffinity":    "nodes on which the pods run",
	"podAffinity":     "pods near which the pods run",
	"podAntiAffinity": "pods away from which the pods run",
}

func (a *WorkerAffinity) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	const example = "such as {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: " +
		"kubernetes.io/hostname, labelSelector: {matchLabels: {app: web}}}]}}"
	if n.Kind != syntax.Map || len(n.Fields) == 0 {
		m.AddHint(n.Pos, example, "an affinity is a map, as in the spec of a pod, not %s", n.Describe())
		return
	}
	for _, f := range n.Fields {
		if affinities[f.Key] == "" {
			known := slices.Sorted(maps.Keys(affinities))
			m.AddHint(f.Pos, syntax.DidYouMean(f.Key, known), "an affinity has no part %q", syntax.Clip(f.Key, 60))
		}
	}
	text, err := json.Marshal(n.Plain(m))
	if err != nil { // not possible: the values are those that JSON has
		m.Add(n.Pos, "%v", err)
	}
	*a = text
}

func (*WorkerAffinity) Schema() syntax.Schema {
	parts := syntax.Schema{}
	for key, text := range affinities {
		parts[key] = syntax.Schema{"type": "object", "description": text + ", as in the spec of a pod"}
	}
	return syntax.Schema{"type": "object", "minProperties": 1, "properties": parts, "additionalProperties": false}
}

// PlaceIn makes the workers run in a cluster. Settings of the scenario take precedence over the arguments. If the
// scenario gives no count, there is one worker.
func (w *Workers) PlaceIn(context, namespace, image string) {
	w.Count, w.On, w.Context, w.Image = max(1, w.Count), "kubernetes", cmp.Or(w.Context, context), cmp.Or(w.Image, image)
	w.fill()
	if !w.Has("namespace") {
		w.Namespace = namespace
	}
}

// Elsewhere reports whether the workers run on other machines.
func (w *Workers) Elsewhere() bool { return w.On == "kubernetes" }

// fill sets the defaults of workers on Kubernetes.
func (w *Workers) fill() {
	w.Namespace, w.Spread = cmp.Or(w.Namespace, "brunt"), cmp.Or(w.Spread, "host")
	w.CPU, w.Memory = cmp.Or(w.CPU, 1), cmp.Or(w.Memory, quantity.Size(1<<30))
	w.Join, w.Patience = cmp.Or(w.Join, quantity.Duration(2*time.Minute)),
		cmp.Or(w.Patience, quantity.Duration(30*time.Second))
	w.Skew = cmp.Or(w.Skew, quantity.Duration(10*time.Millisecond))
}

// SchemaWith implements [syntax.DescribedSchemer]: the short and the long form.
func (*Workers) SchemaWith(doc syntax.Describer) syntax.Schema {
	return syntax.Schema{"anyOf": []any{
		syntax.Scalar(syntax.Schema{"type": "integer", "minimum": 1, "maximum": MostWorkers}),
		syntax.StructSchema(reflect.TypeFor[Workers](), doc),
	}}
}

// A Toleration is a taint of a node that pods tolerate.
type Toleration struct{ Key, Value, Effect string }

// ParseToleration parses key=value:Effect, key:Effect or key.
func ParseToleration(text string) (t Toleration, err error) {
	rest, effect, _ := strings.Cut(text, ":")
	t.Key, t.Value, _ = strings.Cut(rest, "=")
	t.Effect = effect
	if t.Key == "" || effect != "" && !slices.Contains([]string{"NoSchedule", "PreferNoSchedule", "NoExecute"}, effect) {
		return t, fmt.Errorf("%q is no taint: want key=value:Effect, with NoSchedule, PreferNoSchedule or NoExecute, such "+
			"as dedicated=load:NoSchedule", text)
	}
	return t, nil
}
