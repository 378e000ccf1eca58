package catalog

import (
	"maps"

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

// Kinds lists the faults that a scenario may name.
func Kinds() map[string]func() chaos.Fault {
	return map[string]func() chaos.Fault{
		"process.crash":      func() chaos.Fault { return new(process.Crash) },
		"process.freeze":     func() chaos.Fault { return new(process.Freeze) },
		"process.stop":       func() chaos.Fault { return new(process.Stop) },
		"process.restart":    func() chaos.Fault { return new(process.Restart) },
		"container.kill":     func() chaos.Fault { return new(container.Kill) },
		"container.stop":     func() chaos.Fault { return new(container.ContainerStop) },
		"container.restart":  func() chaos.Fault { return new(container.ContainerRestart) },
		"container.pause":    func() chaos.Fault { return new(container.Pause) },
		"stress.cpu":         func() chaos.Fault { return new(resource.StressCPU) },
		"stress.memory":      func() chaos.Fault { return new(resource.StressMemory) },
		"stress.io":          func() chaos.Fault { return new(resource.StressIO) },
		"cpu.throttle":       func() chaos.Fault { return new(resource.Throttle) },
		"memory.limit":       func() chaos.Fault { return new(resource.MemoryLimit) },
		"disk.throttle":      func() chaos.Fault { return new(resource.DiskThrottle) },
		"disk.fill":          func() chaos.Fault { return new(resource.DiskFill) },
		"fd.exhaust":         func() chaos.Fault { return new(resource.FDExhaust) },
		"time.skew":          func() chaos.Fault { return new(clock.TimeSkew) },
		"network.latency":    func() chaos.Fault { return new(packet.Latency) },
		"network.bandwidth":  func() chaos.Fault { return new(packet.Bandwidth) },
		"network.stall":      func() chaos.Fault { return new(packet.Stall) },
		"network.blackhole":  func() chaos.Fault { return new(packet.Blackhole) },
		"network.reset":      func() chaos.Fault { return new(packet.Reset) },
		"network.partition":  func() chaos.Fault { return new(packet.Partition) },
		"network.disconnect": func() chaos.Fault { return new(container.Disconnect) },
		"network.loss":       func() chaos.Fault { return new(packet.Loss) },
		"network.duplicate":  func() chaos.Fault { return new(packet.Duplicate) },
		"network.corrupt":    func() chaos.Fault { return new(packet.Corrupt) },
		"network.reorder":    func() chaos.Fault { return new(packet.Reorder) },
		"network.half_open":  func() chaos.Fault { return new(packet.HalfOpen) },
		"dns.fail":           func() chaos.Fault { return new(dns.DNSFail) },
		"dns.timeout":        func() chaos.Fault { return new(dns.DNSTimeout) },
		"dns.spoof":          func() chaos.Fault { return new(dns.DNSSpoof) },
		"tcp.slow_close":     func() chaos.Fault { return new(proxied.SlowClose) },
		"tcp.limit":          func() chaos.Fault { return new(proxied.Limit) },
		"tcp.slicer":         func() chaos.Fault { return new(proxied.Slicer) },
		"http.error":         func() chaos.Fault { return new(proxied.HTTPError) },
		"http.rewrite":       func() chaos.Fault { return new(proxied.HTTPRewrite) },
		"http.delay":         func() chaos.Fault { return new(proxied.HTTPDelay) },
		"exec":               func() chaos.Fault { return new(custom.Exec) },
		"webhook":            func() chaos.Fault { return new(custom.Webhook) },
	}
}

// AllOperations are the undo operations that journals may name.
func AllOperations() chaos.Operations {
	o := chaos.OperationsOf(journal.BruntOperations(), container.ContainerOperations(), process.FreezeOperations(), packet.PacketOperations(), clock.ClockOperations(), custom.CustomOperations())
	maps.Copy(o, resource.ResourceOperations())
	maps.Copy(o, agent.AgentOperations())
	return o
}

// Find makes the fault of a kind.
func Find(kind string) (chaos.Fault, bool) {
	mk, ok := Kinds()[kind]
	if !ok {
		return nil, false
	}
	return mk(), true
}
