package stress

import "time"

// A Job says what a child does until it is stopped: the one of its pointer fields that is not nil.
type Job struct {
	CPU    *CPU    `json:"cpu,omitempty"`
	Memory *Memory `json:"memory,omitempty"`
	Disk   *Disk   `json:"disk,omitempty"`
	Fill   *Fill   `json:"fill,omitempty"`
	Clock  *Clock  `json:"clock,omitempty"`

	Unit int `json:"unit,omitempty"` // a process id; the child exits when that process ends. Zero is none
}

// CPU consumes processor time.
type CPU struct {
	Load    float64 `json:"load"` // of each worker: the share of the time that passes, from 0 to 1
	Workers int     `json:"workers"`
}

// Memory allocates memory and keeps it in use.
type Memory struct {
	Bytes int64 `json:"bytes"`
	// Gently allocates one huge page at a time. If there is no room for it, the kernel refuses a huge page without
	// killing a process. After each refusal the child waits for [Process.Continue], and then allocates the same range
	// in small pages.
	Gently bool `json:"gently,omitempty"`
	// Usage is, for a gentle job, the file with the number of bytes that the child's control group uses, and Limit is
	// the number that it may use. Before a huge page that may be refused, the child takes and frees small pages so that
	// one mebibyte stays free: the kernel gives a small page instead of a huge page that it refuses, and the child
	// itself needs some. Without that room the kernel would kill a process of the group.
	Usage string `json:"usage,omitempty"`
	Limit int64  `json:"limit,omitempty"`
}

// Disk writes and reads an unnamed file in the directory [Config].File, past the page cache where the
// filesystem supports it.
type Disk struct {
	Name    string `json:"name"` // the file's name for a moment, on filesystems without O_TMPFILE
	Workers int    `json:"workers"`
	Block   int    `json:"block"`  // bytes of each write and read, a multiple of 4096
	Blocks  int    `json:"blocks"` // of a worker's file
	Write   bool   `json:"write"`
	Read    bool   `json:"read"`
}

// Fill takes the space of a filesystem with the file [Config].File, and keeps it as long as the child lives.
type Fill struct {
	Bytes int64 `json:"bytes"`           // to take
	Whole bool  `json:"whole,omitempty"` // take all space of the filesystem, to the last block, even beyond Bytes
}

// FillAgain is the pause between two looks of a Fill of the whole filesystem for space that others have freed.
const FillAgain = 100 * time.Millisecond

// Clock reads the clock with the vDSO of another process.
type Clock struct {
	PID int `json:"pid"` // the other process
}

// A Report is the progress of a child.
type Report struct {
	Bytes int64         `json:"bytes,omitempty"` // allocated, taken, or written and read
	Spent time.Duration `json:"spent,omitempty"` // processor time, or elapsed time for a Disk job
	Now   time.Time     `json:"now,omitzero"`    // the clock's reading
	Error string        `json:"error,omitempty"`
}
