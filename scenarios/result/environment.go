package result

// Environment is where the run took place, and what took part in it.
type Environment struct {
	Brunt   string   `json:"brunt"`             // version
	Commit  string   `json:"commit,omitempty"`  // that brunt was built from, with +dirty where there were changes; empty is not known
	Binary  string   `json:"binary,omitempty"`  // SHA-256 of brunt's own file, in hex
	Go      string   `json:"go"`                // version that brunt was built with
	OS      string   `json:"os"`                // operating system
	Arch    string   `json:"arch"`              // processor architecture
	Kernel  string   `json:"kernel,omitempty"`  // version
	CPUs    int      `json:"cpus"`              // processors
	Memory  int64    `json:"memory,omitempty"`  // bytes
	Files   uint64   `json:"files,omitempty"`   // limit of open files
	Command []string `json:"command,omitempty"` // that began the run
	Target  string   `json:"target,omitempty"`  // what was loaded

	Policies []string `json:"policies,omitempty"` // that held: name, file and digest of each

	Scenario []FileSum      `json:"scenario_files,omitempty"` // what the scenario was read from: itself first, what it extends, data, scripts, what requests send
	Tools    []FileSum      `json:"tools,omitempty"`          // that brunt ran besides, such as brunt-k6
	Replicas map[string]int `json:"replicas,omitempty"`       // of each service, as the load began
	Units    []UnitIdentity `json:"units,omitempty"`          // what the target was made of, as the load began
	Clock    *Clock         `json:"clock,omitempty"`          // nil: nobody could be asked
}

// A FileSum is a file as it was.
type FileSum struct {
	Path   string `json:"path"`   // with slashes, relative to the scenario where it can be
	SHA256 string `json:"sha256"` // in hex
}

// A UnitIdentity is what a unit of the target was made of.
type UnitIdentity struct {
	Unit     string    `json:"unit"`               // service[i]
	Service  string    `json:"service"`            // that it is a replica of
	Image    string    `json:"image,omitempty"`    // of a container, as it was named
	ImageID  string    `json:"image_id,omitempty"` // of its configuration, as the engine has it: sha256:…
	Digests  []string  `json:"digests,omitempty"`  // by which registries have the image: name@sha256:…; none: it is from no registry
	Programs []FileSum `json:"programs,omitempty"` // of a process: its program, and what of its arguments is a file
}

// Clock is how well the machine's clock is kept, as its kernel says. Nobody else was asked.
type Clock struct {
	Synchronized bool `json:"synchronized"` // somebody keeps it
	Offset       Num  `json:"offset"`       // seconds that the kernel was still to correct it by
	MaxError     Num  `json:"max_error"`    // seconds that it may be wrong by at most; null is not known
}
