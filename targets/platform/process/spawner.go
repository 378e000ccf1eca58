package process

import (
	"os/exec"
	"runtime"

	"brunt/targets/platform/procgroup"
)

// A Spawner starts processes from a separate thread that lives as long as they do.
//
// Subtle: on Linux a child is killed when the thread that started it ends (PR_SET_PDEATHSIG), not only when the
// process ends. The runtime may end any thread that is not locked.
type Spawner struct {
	jobs chan spawnJob
	done chan struct{}
}

type spawnJob struct {
	cmd *exec.Cmd
	err chan error
}

// NewSpawner starts the thread of a spawner.
func NewSpawner() *Spawner {
	defaultSignals()
	s := &Spawner{jobs: make(chan spawnJob), done: make(chan struct{})}
	go func() {
		runtime.LockOSThread() // and never unlock: the thread ends with this goroutine
		defer close(s.done)
		for j := range s.jobs {
			procgroup.Own(j.cmd)
			j.err <- j.cmd.Start()
		}
	}()
	return s
}

// Start starts the command in a process group of its own.
func (s *Spawner) Start(cmd *exec.Cmd) error {
	j := spawnJob{cmd, make(chan error, 1)}
	s.jobs <- j
	return <-j.err
}

// Close ends the thread, and with it the remaining processes that it started.
func (s *Spawner) Close() {
	close(s.jobs)
	<-s.done
}
