package result

// A UnitUsage holds the resources that a unit of the target used during the load, by second.
type UnitUsage struct {
	Unit    string `json:"unit" mask:"-"`    // service[i]
	Service string `json:"service" mask:"-"` // service that it is a replica of
	// source of the figures: proc (Linux: the process and all processes that it started), docker (the engine's
	// statistics, without descriptors), metrics.k8s.io or kubelet (for a pod, without descriptors), or none (for a
	// pod without a source)
	Via string `json:"via,omitempty"`
	// for a pod: seconds between two figures, which are means of the CPU over that time; absent means one second
	Every Num `json:"every,omitzero"`
	CPU   Num `json:"cpu"` // mean number of cores
	// maximum memory in bytes: resident memory; if via is docker, memory of the container without cached files; for a
	// pod, working sets of its containers
	Memory int64 `json:"memory"`
	// processes of its container that the kernel killed for lack of memory, without the stress process of stress.memory
	OOMs int `json:"ooms"`
	// connections that the kernel dropped while the unit was watched, because an accept queue in the unit's network
	// namespace was full
	AcceptOverflows int64 `json:"accept_overflows,omitempty"`
	// the unit shares brunt's network namespace, so connections of other programs count as well
	AcceptShared bool        `json:"accept_shared,omitempty"`
	Seconds      []UsageTick `json:"seconds"` // usage by second
}

// Values of [UnitUsage.Via] for pods. PodsUnknown means that there is no source.
const (
	ViaMetrics  = "metrics.k8s.io"
	ViaKubelet  = "kubelet"
	PodsUnknown = "none"
)

// OfPod reports whether the unit is a pod of a cluster.
func (u *UnitUsage) OfPod() bool {
	return u.Via == ViaMetrics || u.Via == ViaKubelet || u.Via == PodsUnknown
}

// A UsageTick holds the resources that a unit, with all processes that it has started, used in one second. A unit
// that was not running has no process and used nothing.
type UsageTick struct {
	T       Num   `json:"t"`       // end of the second, an offset from t0
	CPU     Num   `json:"cpu"`     // cores; null means unknown, such as after a start
	Memory  int64 `json:"memory"`  // bytes, measured like the memory of the unit; negative means unknown
	Files   Num   `json:"files"`   // open file descriptors; null if brunt may not read them
	Threads int   `json:"threads"` // threads of all its processes
	// number of starts so far; each after the first is a restart; for a pod, starts of its containers and of pods
	// that replaced it count as well
	Starts  int  `json:"starts"`
	OOMs    int  `json:"ooms"`    // number of OOM kills so far
	Running bool `json:"running"` // the unit has a process
	// the engine of its container did not say whether it runs; running is then false
	Unknown bool `json:"unknown,omitempty"`
}
