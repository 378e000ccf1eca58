package compare

import (
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"time"

	"brunt/scenarios/result"
)

// A Machine is the class of machine that a run was made on. A CI system with mixed hosts compares only runs on the
// same class.
type Machine struct {
	OS    string  `json:"os"`    // operating system
	Arch  string  `json:"arch"`  // processor architecture
	CPUs  int     `json:"cpus"`  // processors
	Score float64 `json:"score"` // megabytes of SHA-256 a second on one processor, at the time of the run; 0: unknown
}

// alike is the largest ratio of the scores of one class. The scores of one idle machine differ by less than a tenth.
const alike = 1.25

// Alike reports whether runs on the two machines can be compared.
func (m Machine) Alike(o Machine) bool {
	if m.OS != o.OS || m.Arch != o.Arch || m.CPUs != o.CPUs {
		return false
	}
	if m.Score <= 0 || o.Score <= 0 {
		return m.Score == o.Score
	}
	return math.Abs(math.Log(m.Score/o.Score)) <= math.Log(alike)
}

// String describes the class for people.
func (m Machine) String() string {
	return fmt.Sprintf("%s/%s, %d processors, %.0f MB/s of SHA-256", m.OS, m.Arch, m.CPUs, m.Score)
}

const (
	probes    = 15
	probeSize = 1 << 20 // bytes
)

// Calibrate determines the class of this machine, in some tens of milliseconds. It uses the best of
// several tries, because other programs can only make a try slower.
func Calibrate(e result.Environment) Machine {
	block := make([]byte, probeSize)
	took := make([]time.Duration, probes)
	for i := range took {
		begin := time.Now()
		sum := sha256.Sum256(block)
		took[i] = time.Since(begin)
		copy(block, sum[:])
	}
	best := max(slices.Min(took), time.Nanosecond)
	return Machine{OS: e.OS, Arch: e.Arch, CPUs: e.CPUs, Score: math.Round(probeSize / 1e6 / best.Seconds())}
}
