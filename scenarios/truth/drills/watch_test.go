//go:build linux

package drills

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A change is a unit whose process ended or stopped.
type change struct {
	at   time.Time
	unit string
	to   byte // of /proc: T is stopped, Z and X are dead, 0 is gone
}

// A unitWatch looks at the processes of a run's units every millisecond.
type unitWatch struct {
	changes        []change
	stopped, ended chan struct{}
}

func watchUnits(dir string) *unitWatch {
	w := &unitWatch{stopped: make(chan struct{}), ended: make(chan struct{})}
	go w.loop(dir)
	return w
}

// stop returns the changes by time.
func (w *unitWatch) stop() []change {
	close(w.stopped)
	<-w.ended
	return w.changes
}

func (w *unitWatch) loop(dir string) {
	defer close(w.ended)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	pids, down := map[string]string{}, map[string]bool{}
	for n := 0; ; n++ {
		select {
		case <-w.stopped:
			return
		case <-tick.C:
		}
		if n%200 == 0 {
			files, _ := filepath.Glob(filepath.Join(dir, "pid.*"))
			for _, f := range files {
				pid, _ := os.ReadFile(f)
				pids[strings.TrimPrefix(filepath.Base(f), "pid.")] = string(pid)
			}
		}
		for unit, pid := range pids {
			to := state(pid)
			if is := strings.IndexByte("TZX\x00", to) >= 0; is != down[pid] {
				down[pid] = is
				if is {
					w.changes = append(w.changes, change{time.Now(), unit, to})
				}
			}
		}
	}
}

// state is the state of a process: 0 if there is no process.
func state(pid string) byte {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%s/stat", pid))
	if err != nil {
		return 0
	}
	if _, rest, ok := strings.Cut(string(raw), ") "); ok {
		return rest[0]
	}
	return 0
}
