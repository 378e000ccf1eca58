package scenarios

// Environment is where the run took place.
type Environment struct {
	Brunt   string   `json:"brunt"`             // version
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
}
