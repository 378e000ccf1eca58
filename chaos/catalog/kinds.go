package catalog

import (
	"maps"
	"sync"

	"brunt/chaos"
	"brunt/chaos/agent"
	"brunt/chaos/fault/clock"
	"brunt/chaos/fault/container"
	"brunt/chaos/fault/custom"
	"brunt/chaos/fault/dns"
	"brunt/chaos/fault/packet"
	"brunt/chaos/fault/process"
	"brunt/chaos/fault/proxied"
	"brunt/chaos/fault/resource"
	"brunt/chaos/journal"
)

// faults lists every kind of fault, one line each.
func faults() []chaos.Described {
	return []chaos.Described{
		new(process.Crash),
		new(process.Freeze),
		new(process.Stop),
		new(process.Restart),
		new(container.Kill),
		new(container.ContainerStop),
		new(container.ContainerRestart),
		new(container.Pause),
		new(resource.StressCPU),
		new(resource.StressMemory),
		new(resource.StressIO),
		new(resource.Throttle),
		new(resource.MemoryLimit),
		new(resource.DiskThrottle),
		new(resource.DiskFill),
		new(resource.FDExhaust),
		new(clock.TimeSkew),
		new(packet.Latency),
		new(packet.Bandwidth),
		new(packet.Stall),
		new(packet.Blackhole),
		new(packet.Reset),
		new(packet.Partition),
		new(container.Disconnect),
		new(packet.Loss),
		new(packet.Duplicate),
		new(packet.Corrupt),
		new(packet.Reorder),
		new(packet.HalfOpen),
		new(dns.DNSFail),
		new(dns.DNSTimeout),
		new(dns.DNSSpoof),
		new(proxied.SlowClose),
		new(proxied.Limit),
		new(proxied.Slicer),
		new(proxied.HTTPError),
		new(proxied.HTTPRewrite),
		new(proxied.HTTPDelay),
		new(custom.Exec),
		new(custom.Webhook),
	}
}

// descriptors are those of all faults by their kinds.
var descriptors = sync.OnceValue(func() map[string]chaos.Descriptor { return describe(faults()) })

func describe(all []chaos.Described) map[string]chaos.Descriptor {
	out := map[string]chaos.Descriptor{}
	for _, f := range all {
		d := f.Describe()
		out[d.Kind] = d
	}
	return out
}

// Kinds lists the faults that a scenario may name.
func Kinds() map[string]func() chaos.Fault {
	out := map[string]func() chaos.Fault{}
	for kind, d := range descriptors() {
		out[kind] = d.New
	}
	return out
}

// Find gives the descriptor of a kind.
func Find(kind string) (chaos.Descriptor, bool) {
	d, ok := descriptors()[kind]
	return d, ok
}

// AllOperations are the undo operations that journals may name: those of brunt itself and those of every
// fault.
func AllOperations() chaos.Operations { return operations(descriptors()) }

func operations(of map[string]chaos.Descriptor) chaos.Operations {
	o := chaos.OperationsOf(journal.BruntOperations())
	for _, d := range of {
		maps.Copy(o, chaos.OperationsOf(d.Undo))
	}
	maps.Copy(o, chaos.OperationsOf(agent.Operations(func(kind string) (chaos.Descriptor, bool) {
		d, ok := of[kind]
		return d, ok
	})))
	return o
}
