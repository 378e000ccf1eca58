package machine

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"time"

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

// StolenTime returns the CPU time that the hypervisor took, and the total CPU time. Both are in ticks since boot,
// summed over all processors.
func StolenTime() (stolen, all float64) {
	f, err := os.Open("/proc/stat")
	if err != nil {
		return 0, 0
	}
	defer f.Close()
	line, err := bufio.NewReader(f).ReadString('\n')
	if err != nil {
		return 0, 0
	}
	for i, s := range strings.Fields(line)[1:] {
		v, _ := strconv.ParseFloat(s, 64)
		if i < 8 { // user time already includes guest time
			all += v
		}
		if i == 7 {
			stolen = v
		}
	}
	return stolen, all
}

// CPUPressure returns the share of the last ten seconds in which some task waited for CPU (PSI).
func CPUPressure() float64 {
	b, err := os.ReadFile("/proc/pressure/cpu")
	if err != nil {
		return 0
	}
	_, rest, ok := strings.Cut(string(b), "avg10=")
	if !ok {
		return 0
	}
	v, _, _ := strings.Cut(rest, " ")
	f, _ := strconv.ParseFloat(v, 64)
	return f / 100
}

// CPUWaited returns the time since boot in which some task waited for CPU (PSI), and whether the kernel reports it.
func CPUWaited() (waited time.Duration, known bool) {
	b, err := os.ReadFile("/proc/pressure/cpu")
	if err != nil {
		return 0, false
	}
	_, rest, ok := strings.Cut(string(b), "total=")
	if !ok {
		return 0, false
	}
	v, _, _ := strings.Cut(rest, "\n")
	us, err := strconv.ParseInt(v, 10, 64)
	return time.Duration(us) * time.Microsecond, err == nil
}

// ResidentMemory returns the memory that brunt holds, in bytes.
func ResidentMemory() int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}
