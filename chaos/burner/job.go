package burner

import "time"

// A Job is what a child is to do. It does the one thing whose field is not nil, until it
// is ended.
type Job struct {
	CPU    *CPU    `json:"cpu,omitempty"`
	Memory *Memory `json:"memory,omitempty"`
	Disk   *Disk   `json:"disk,omitempty"`
	Clock  *Clock  `json:"clock,omitempty"`

	Unit int `json:"unit,omitempty"` // a process; when it ends the child does. Zero is none
}

// CPU burns processor time.
type CPU struct {
	Load    float64 `json:"load"` // of each worker, from 0 to 1, of the time that passes
	Workers int     `json:"workers"`
}

// Memory takes memory and keeps it in use.
type Memory struct {
	Bytes int64 `json:"bytes"`
	// Gently takes a huge page at a time, which the kernel refuses without killing
	// anybody when there is no room. After each the child waits for [Burner.GoOn]; what
	// it did not get as one piece it takes page by page then.
	Gently bool `json:"gently,omitempty"`
}

// Disk writes and reads a file without a name in the directory that the child was given,
// past the page cache where the filesystem lets it.
type Disk struct {
	Name    string `json:"name"` // that a file has for a moment, where there are none without
	Workers int    `json:"workers"`
	Block   int    `json:"block"`  // bytes of each write and read, a multiple of 4096
	Blocks  int    `json:"blocks"` // of a worker's file
	Write   bool   `json:"write"`
	Read    bool   `json:"read"`
}

// Clock reads the clock as a process would that has the vDSO of another.
type Clock struct {
	PID int `json:"pid"` // the other
}

// A Report is what a child has done so far.
type Report struct {
	Bytes int64         `json:"bytes,omitempty"` // taken, or written and read
	Spent time.Duration `json:"spent,omitempty"` // of processor time, or of the clock for a disk
	Now   time.Time     `json:"now,omitzero"`    // what the clock says
	Error string        `json:"error,omitempty"`
}
