package result

// Environment describes where the run took place, and what took part in it.
type Environment struct {
	Brunt string `json:"brunt" mask:"-"` // version of brunt
	// commit that brunt was built from, with +dirty if there were local changes; empty means unknown
	Commit  string   `json:"commit,omitempty" mask:"-"`
	Binary  string   `json:"binary,omitempty" mask:"-"` // SHA-256 of brunt's own file, in hex
	Go      string   `json:"go" mask:"-"`               // version of Go that brunt was built with
	OS      string   `json:"os" mask:"-"`               // operating system
	Arch    string   `json:"arch" mask:"-"`             // processor architecture
	Kernel  string   `json:"kernel,omitempty" mask:"-"` // version of the kernel
	CPUs    int      `json:"cpus"`                      // number of processors
	Memory  int64    `json:"memory,omitempty"`          // memory of the machine, bytes
	Files   uint64   `json:"files,omitempty"`           // maximum number of open files
	Command []string `json:"command,omitempty"`         // the command line of brunt
	Target  string   `json:"target,omitempty"`          // the target of the load

	Policies []string `json:"policies,omitempty"` // policies in force: name, file and digest of each

	// the files that the scenario was read from: first the scenario, then the files that it extends, data, scripts
	// and bodies of requests
	Scenario []FileSum      `json:"scenario_files,omitempty"`
	Tools    []FileSum      `json:"tools,omitempty"`             // other programs that brunt ran, such as brunt-k6
	Replicas map[string]int `json:"replicas,omitempty" mask:"-"` // number of replicas per service when the load began
	Entry    string         `json:"entry,omitempty" mask:"-"`    // service that the load asks; empty if brunt started none
	Units    []UnitIdentity `json:"units,omitempty"`             // the units of the target when the load began
	Clock    *Clock         `json:"clock,omitempty"`             // state of the machine's clock; nil means unknown
}

// A FileSum identifies a file by its content.
type FileSum struct {
	Path   string `json:"path"`            // path with slashes, relative to the scenario where possible
	SHA256 string `json:"sha256" mask:"-"` // in hex
}

// A UnitIdentity identifies the software of a unit of the target.
type UnitIdentity struct {
	Unit    string `json:"unit" mask:"-"`               // service[i]
	Service string `json:"service" mask:"-"`            // service that it is a replica of
	Image   string `json:"image,omitempty"`             // image of a container, as the target names it
	ImageID string `json:"image_id,omitempty" mask:"-"` // digest of the image's configuration, from the engine: sha256:…
	// digests of the image in registries, name@sha256:…; empty if it is from no registry
	Digests  []string  `json:"digests,omitempty" mask:"-"`
	Programs []FileSum `json:"programs,omitempty"` // for a process: its program, and the arguments that are files
}

// Clock is the state of the machine's clock, according to its kernel. No other source was queried.
type Clock struct {
	Synchronized bool `json:"synchronized"` // the clock is synchronized
	Offset       Num  `json:"offset"`       // seconds that the kernel still had to correct
	MaxError     Num  `json:"max_error"`    // maximum error in seconds; null means unknown
}
