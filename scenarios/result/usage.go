package result

// A UnitUsage is what a unit of the target used while the load ran, by the second.
type UnitUsage struct {
	Unit    string      `json:"unit"`          // service[i]
	Service string      `json:"service"`       // that it is a replica of
	Via     string      `json:"via,omitempty"` // how it was read: proc (of Linux, every process that it has started) or docker (the engine's statistics, which don't tell descriptors)
	CPU     Num         `json:"cpu"`           // cores in the mean
	Memory  int64       `json:"memory"`        // bytes at most: resident, where via is docker what the container holds but for cached files
	OOMs    int         `json:"ooms"`          // processes of its container that the kernel killed for want of memory
	Seconds []UsageTick `json:"seconds"`       // the same, by second
}

// A UsageTick is what a unit used in one second, with all processes that it has started. A
// unit that did not run then has no process, and used nothing.
type UsageTick struct {
	T       Num   `json:"t"`       // its end, an offset from t0
	CPU     Num   `json:"cpu"`     // cores; null where nothing is known of it, as after a start
	Memory  int64 `json:"memory"`  // bytes, as the unit's memory is meant
	Files   Num   `json:"files"`   // open descriptors; null where brunt may not see them
	Threads int   `json:"threads"` // of all its processes
	Starts  int   `json:"starts"`  // so far: one more is a restart
	OOMs    int   `json:"ooms"`    // so far
	Running bool  `json:"running"` // it has a process
}
