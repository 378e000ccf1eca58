package scenarios

// Environment is where the run took place.
type Environment struct {
	Brunt   string   `json:"brunt"` // version
	Go      string   `json:"go"`
	OS      string   `json:"os"`
	Arch    string   `json:"arch"`
	Kernel  string   `json:"kernel,omitempty"`
	CPUs    int      `json:"cpus"`
	Memory  int64    `json:"memory,omitempty"` // bytes
	Files   uint64   `json:"files,omitempty"`  // limit of open files
	Command []string `json:"command,omitempty"`
	Target  string   `json:"target,omitempty"`

	Policies []string `json:"policies,omitempty"` // that held: name, file and digest of each
}
