package chaos

import "maps"

// Kinds lists the faults that a scenario may name.
func Kinds() map[string]func() Fault {
	return map[string]func() Fault{
		"process.crash":      func() Fault { return new(Crash) },
		"process.freeze":     func() Fault { return new(Freeze) },
		"process.stop":       func() Fault { return new(Stop) },
		"process.restart":    func() Fault { return new(Restart) },
		"container.kill":     func() Fault { return new(Kill) },
		"container.stop":     func() Fault { return new(ContainerStop) },
		"container.restart":  func() Fault { return new(ContainerRestart) },
		"container.pause":    func() Fault { return new(Pause) },
		"stress.cpu":         func() Fault { return new(StressCPU) },
		"stress.memory":      func() Fault { return new(StressMemory) },
		"stress.io":          func() Fault { return new(StressIO) },
		"cpu.throttle":       func() Fault { return new(Throttle) },
		"memory.limit":       func() Fault { return new(MemoryLimit) },
		"disk.throttle":      func() Fault { return new(DiskThrottle) },
		"disk.fill":          func() Fault { return new(DiskFill) },
		"fd.exhaust":         func() Fault { return new(FDExhaust) },
		"time.skew":          func() Fault { return new(TimeSkew) },
		"network.latency":    func() Fault { return new(Latency) },
		"network.bandwidth":  func() Fault { return new(Bandwidth) },
		"network.stall":      func() Fault { return new(Stall) },
		"network.blackhole":  func() Fault { return new(Blackhole) },
		"network.reset":      func() Fault { return new(Reset) },
		"network.partition":  func() Fault { return new(Partition) },
		"network.disconnect": func() Fault { return new(Disconnect) },
		"network.loss":       func() Fault { return new(Loss) },
		"network.duplicate":  func() Fault { return new(Duplicate) },
		"network.corrupt":    func() Fault { return new(Corrupt) },
		"network.reorder":    func() Fault { return new(Reorder) },
		"network.half_open":  func() Fault { return new(HalfOpen) },
		"dns.fail":           func() Fault { return new(DNSFail) },
		"dns.timeout":        func() Fault { return new(DNSTimeout) },
		"dns.spoof":          func() Fault { return new(DNSSpoof) },
		"tcp.slow_close":     func() Fault { return new(SlowClose) },
		"tcp.limit":          func() Fault { return new(Limit) },
		"tcp.slicer":         func() Fault { return new(Slicer) },
		"http.error":         func() Fault { return new(HTTPError) },
		"http.rewrite":       func() Fault { return new(HTTPRewrite) },
		"http.delay":         func() Fault { return new(HTTPDelay) },
		"exec":               func() Fault { return new(Exec) },
		"webhook":            func() Fault { return new(Webhook) },
	}
}

// AllOperations are the undo operations that journals may name.
func AllOperations() Operations {
	o := OperationsOf(bruntOperations(), containerOperations(), freezeOperations(), packetOperations(), clockOperations(), customOperations())
	maps.Copy(o, resourceOperations())
	maps.Copy(o, agentOperations())
	return o
}

// Find makes the fault of a kind.
func Find(kind string) (Fault, bool) {
	mk, ok := Kinds()[kind]
	if !ok {
		return nil, false
	}
	return mk(), true
}
