package machine

// ProcessorTime is the time of the machine's processors since boot, in ticks, summed over all of them.
type ProcessorTime struct {
	All    float64 // in total
	Idle   float64 // without a task to run
	Stolen float64 // that the hypervisor took
}
