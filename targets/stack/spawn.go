package stack

import (
	"os/exec"
	"runtime"
)

// A spawner starts processes from a separate thread that lives as long as they do.
//
// subtle: on Linux a child is killed when the thread that started it ends (PR_SET_PDEATHSIG), not
// only when the process does; and the runtime may end any thread that is not locked.
type spawner struct {
	jobs chan spawnJob
	done chan struct{}
}

type spawnJob struct {
	cmd *exec.Cmd
	err chan error
}

func newSpawner() *spawner {
	s := &spawner{jobs: make(chan spawnJob), done: make(chan struct{})}
	go func() {
		runtime.LockOSThread() // and never unlock: the thread ends with this goroutine
		defer close(s.done)
		for j := range s.jobs {
			ownGroup(j.cmd)
			j.err <- j.cmd.Start()
		}
	}()
	return s
}

func (s *spawner) start(cmd *exec.Cmd) error {
	j := spawnJob{cmd, make(chan error, 1)}
	s.jobs <- j
	return <-j.err
}

// close ends the thread, and with it the remaining processes that it started.
func (s *spawner) close() {
	close(s.jobs)
	<-s.done
}
