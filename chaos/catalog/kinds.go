package catalog

import (
	"errors"
	"runtime"
	"slices"
	"strings"

	"brunt/chaos"
	"brunt/chaos/agent"
	"brunt/chaos/cluster"
	"brunt/chaos/cluster/agents"
	"brunt/chaos/cluster/guard"
	"brunt/chaos/fault/container"
	"brunt/chaos/fault/custom"
	"brunt/chaos/fault/kubernetes"
	"brunt/chaos/fault/network"
	"brunt/chaos/fault/process"
	"brunt/chaos/fault/proxied"
	"brunt/chaos/fault/resource"
	"brunt/chaos/journal"
)

// A List is a list of faults of different kinds.
type List []chaos.Described

// Faults lists every kind of fault, one line each. `brunt doctor` reports them in this order.
func Faults() List {
	return List{
		new(process.Crash),
		new(process.Freeze),
		new(process.Stop),
		new(process.Restart),
		new(container.Kill),
		new(container.Stop),
		new(container.Restart),
		new(container.Pause),
		new(resource.Throttle),
		new(resource.MemoryLimit),
		new(resource.DiskThrottle),
		new(resource.StressCPU),
		new(resource.StressMemory),
		new(resource.StressIO),
		new(resource.DiskFill),
		new(resource.FDExhaust),
		new(resource.PIDsLimit),
		new(process.TimeSkew),
		new(network.Latency),
		new(network.Bandwidth),
		new(network.Stall),
		new(network.Blackhole),
		new(network.Reset),
		new(network.Partition),
		new(container.Disconnect),
		new(network.Loss),
		new(network.Duplicate),
		new(network.Corrupt),
		new(network.Reorder),
		new(network.HalfOpen),
		new(network.DNSFail),
		new(network.DNSTimeout),
		new(network.DNSSpoof),
		new(proxied.SlowClose),
		new(proxied.Limit),
		new(proxied.Slicer),
		new(proxied.HTTPError),
		new(proxied.HTTPRewrite),
		new(proxied.HTTPDelay),
		new(proxied.GRPCError),
		new(proxied.GRPCDelay),
		new(proxied.RedisError),
		new(proxied.RedisDelay),
		new(proxied.MongoError),
		new(proxied.MongoDelay),
		new(proxied.SQLError),
		new(proxied.SQLDelay),
		new(proxied.KafkaError),
		new(proxied.KafkaDelay),
		new(proxied.AMQPNack),
		new(kubernetes.PodDelete),
		new(kubernetes.PodEvict),
		new(kubernetes.PodFail),
		new(kubernetes.Scale),
		new(kubernetes.Restart),
		new(kubernetes.Apply),
		new(kubernetes.NodeCordon),
		new(kubernetes.NodeDrain),
		new(kubernetes.NodeTaint),
		new(custom.Exec),
		new(custom.Webhook),
		new(custom.Action),
		new(custom.Call),
	}
}

// Find returns the descriptor of a kind.
func (l List) Find(kind string) (chaos.Descriptor, bool) {
	for _, f := range l {
		if d := f.Describe(); d.Kind == kind {
			return d, true
		}
	}
	return chaos.Descriptor{}, false
}

// Kinds returns the constructors of the faults, by kind.
func (l List) Kinds() map[string]func() chaos.Fault {
	out := map[string]func() chaos.Fault{}
	for _, f := range l {
		d := f.Describe()
		out[d.Kind] = d.New
	}
	return out
}

// Operations returns the undo operations of the faults, of brunt itself and of agents.
func (l List) Operations() chaos.Operations {
	all := [][]chaos.Operation{
		journal.BruntOperations(), agent.Operations(l.Find), guard.Operations(), agents.Operations(cluster.Opened),
	}
	for _, f := range l {
		all = append(all, f.Describe().Undo)
	}
	return chaos.OperationsOf(all...)
}

// Capabilities tests, for each fault that needs something of the machine, whether this machine can inject it. It only
// reads.
func (l List) Capabilities() []chaos.Capability {
	var out []chaos.Capability
	var elsewhere []string
	for _, f := range l {
		d := f.Describe()
		if d.Capability == nil {
			continue
		}
		if d.Platform != "" && d.Platform != runtime.GOOS {
			elsewhere = append(elsewhere, d.Kind)
			continue
		}
		c := d.Capability()
		if !slices.ContainsFunc(out, func(o chaos.Capability) bool { return o.Fault == c.Fault }) {
			out = append(out, c)
		}
	}
	if len(elsewhere) > 0 {
		out = append(out, chaos.Capability{
			Fault: strings.Join(elsewhere, " "), Err: errors.New("this system is not Linux"), Fix: "run the drill on Linux",
		})
	}
	return out
}

// Kinds returns the constructors of the faults that a scenario may name.
func Kinds() map[string]func() chaos.Fault { return Faults().Kinds() }

// Find returns the descriptor of a kind.
func Find(kind string) (chaos.Descriptor, bool) { return Faults().Find(kind) }

// AllOperations returns the undo operations that journals may name.
func AllOperations() chaos.Operations { return Faults().Operations() }
