package scenarios

// A UnitUsage is what a unit of the target used while the load ran, by the second.
type UnitUsage struct {
	Unit    string      `json:"unit"`    // service[i]
	Service string      `json:"service"` // that it is a replica of
	CPU     Num         `json:"cpu"`     // cores in the mean
	Memory  int64       `json:"memory"`  // resident, bytes at most
	Seconds []UsageTick `json:"seconds"` // the same, by second
}

// A UsageTick is what a unit used in one second, with all processes that it has started. A
// unit that did not run then has no process, and used nothing.
type UsageTick struct {
	T       Num   `json:"t"`       // its end, an offset from t0
	CPU     Num   `json:"cpu"`     // cores; null where nothing is known of it, as after a start
	Memory  int64 `json:"memory"`  // resident, bytes
	Files   int   `json:"files"`   // open descriptors
	Threads int   `json:"threads"` // of all its processes
	Starts  int   `json:"starts"`  // so far: one more is a restart
	Running bool  `json:"running"` // it has a process
}
