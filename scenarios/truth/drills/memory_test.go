//go:build linux

package drills

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// memoryMost is how much memory all processes of a drill may take, in bytes: with less, a small machine can play it.
const memoryMost = 2 << 30

// memoryEvery is how often the memory is read.
const memoryEvery = time.Second

// processesOf are the folders in /proc of the processes of the run in folder dir, those of brunt among them.
func processesOf(dir string) (folders []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		env, err := os.ReadFile(file)
		if err == nil && bytes.Contains(env, []byte(drillDir+"="+dir+"\x00")) &&
			!bytes.Contains(env, []byte(ownFront+"=1\x00")) {
			folders = append(folders, filepath.Dir(file))
		}
	}
	return folders
}

// memoryOf is the memory of processes in bytes. Each has its proportional share of the pages that it shares, so that
// the sum counts a page once ("man 5 proc_pid_smaps": Pss).
func memoryOf(processes []string) (sum int64) {
	for _, p := range processes {
		raw, _ := os.ReadFile(filepath.Join(p, "smaps_rollup"))
		for line := range strings.Lines(string(raw)) {
			if rest, is := strings.CutPrefix(line, "Pss:"); is {
				kB, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
				sum += kB << 10
			}
		}
	}
	return sum
}

// watchMemory reads the memory of a run until stop is called, which returns the largest sum in bytes.
func watchMemory(dir string) (stop func() int64) {
	stopped, most := make(chan struct{}), make(chan int64)
	go func() {
		var peak int64
		tick := time.NewTicker(memoryEvery)
		defer tick.Stop()
		for {
			select {
			case <-stopped:
				most <- peak
				return
			case <-tick.C:
				peak = max(peak, memoryOf(processesOf(dir)))
			}
		}
	}()
	return func() int64 {
		close(stopped)
		return <-most
	}
}
