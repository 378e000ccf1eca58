package machine

import (
	"bufio"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// Kernel returns the release of the kernel. It is empty if it can't be read.
func Kernel() string {
	b, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// Memory returns the memory of the machine in bytes. It is zero if it can't be read.
func Memory() int64 {
	var si unix.Sysinfo_t
	if unix.Sysinfo(&si) != nil {
		return 0
	}
	return int64(si.Totalram) * int64(si.Unit)
}

// Processors returns the time of the machine's processors since boot, all zero if it can't be read. It reads only the
// first line of the file, which grows with processors and interrupts.
func Processors() (t ProcessorTime) {
	f, err := os.Open("/proc/stat")
	if err != nil {
		return t
	}
	defer f.Close()
	line, err := bufio.NewReader(f).ReadString('\n')
	if err != nil {
		return t
	}
	for i, s := range strings.Fields(line)[1:] {
		v, _ := strconv.ParseFloat(s, 64)
		if i < 8 { // user time already includes guest time
			t.All += v
		}
		switch i {
		case 3, 4: // idle, and idle while a disk works
			t.Idle += v
		case 7:
			t.Stolen = v
		}
	}
	return t
}

// CPUPressure returns the share of the last ten seconds in which some task waited for CPU (PSI). It is not a number if
// the kernel does not report it.
func CPUPressure() float64 {
	if p := pressure(); p != nil {
		return p.Avg10 / 100
	}
	return math.NaN()
}

// CPUWaited returns the time since boot in which some task waited for CPU (PSI), and whether the kernel reports it.
func CPUWaited() (waited time.Duration, known bool) {
	if p := pressure(); p != nil {
		return time.Duration(p.Total) * time.Microsecond, true
	}
	return 0, false
}

// pressure returns how much some task waited for CPU. It is nil if the kernel does not report it.
func pressure() *procfs.PSILine {
	proc, err := procfs.NewDefaultFS()
	if err != nil {
		return nil
	}
	cpu, err := proc.PSIStatsForResource("cpu")
	if err != nil {
		return nil
	}
	return cpu.Some
}

// ResidentMemory returns the memory that brunt holds, in bytes.
func ResidentMemory() int64 {
	self, err := procfs.Self()
	if err != nil {
		return 0
	}
	held, err := self.Statm()
	if err != nil {
		return 0
	}
	return int64(held.ResidentBytes())
}
