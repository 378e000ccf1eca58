package result

// A UnitUsage is the resource usage of a unit of the target during the load, by second.
type UnitUsage struct {
	Unit    string `json:"unit" mask:"-"`    // service[i]
	Service string `json:"service" mask:"-"` // service that it is a replica of
	// source of the figures: proc (Linux, the process and all that it started), docker (the engine's statistics, without
	// descriptors), metrics.k8s.io or kubelet (of a pod, without descriptors), or none (of a pod: nothing told it)
	Via string `json:"via,omitempty"`
	// of a pod: seconds that each CPU figure is the mean of, and between two figures; absent: each second
	Every Num `json:"every,omitzero"`
	CPU   Num `json:"cpu"` // mean number of cores
	// maximum bytes: resident; if via is docker, the memory of the container without cached files; of a pod, the working
	// sets of its containers
	Memory int64 `json:"memory"`
	OOMs   int   `json:"ooms"` // processes of its container that the kernel killed for lack of memory
	// connections that the kernel dropped while the unit was watched, because an accept queue in the unit's network
	// namespace was full
	AcceptOverflows int64 `json:"accept_overflows,omitempty"`
	// the namespace is brunt's own as well: other programs count too
	AcceptShared bool        `json:"accept_shared,omitempty"`
	Seconds      []UsageTick `json:"seconds"` // usage by second
}

// Sources of the usage of pods, as Via has them. PodsUnknown is that of pods of which nothing tells it.
const (
	ViaMetrics  = "metrics.k8s.io"
	ViaKubelet  = "kubelet"
	PodsUnknown = "none"
)

// OfPod reports whether the unit is a pod of a cluster.
func (u *UnitUsage) OfPod() bool {
	return u.Via == ViaMetrics || u.Via == ViaKubelet || u.Via == PodsUnknown
}

// A UsageTick is the usage of a unit in one second, with all processes that it has started. A
// unit that was not running in it has no process, and used nothing.
type UsageTick struct {
	T       Num   `json:"t"`       // its end, an offset from t0
	CPU     Num   `json:"cpu"`     // cores; null if unknown, as after a start
	Memory  int64 `json:"memory"`  // bytes, defined as the memory of the unit; negative if unknown
	Files   Num   `json:"files"`   // open descriptors; null if brunt may not read them
	Threads int   `json:"threads"` // of all its processes
	// number of starts so far: one more is a restart; of a pod also of its containers, and of pods in its place
	Starts  int  `json:"starts"`
	OOMs    int  `json:"ooms"`    // number so far
	Running bool `json:"running"` // it has a process
	// the engine of its container did not say whether it runs; Running is false then
	Unknown bool `json:"unknown,omitempty"`
}
