//go:build linux

package drills

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
	"testing"

	"brunt/scenarios/suite"
	"brunt/scenarios/truth"
)

// brunt is the program under test, built once.
var brunt string

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "unit" {
		if err := unit(os.Args[2], os.Args[3:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if !suite.Full() {
		return m.Run() // all are skipped
	}
	_ = goFirst("self", proberAhead) // only root may
	files, remove, err := truth.Programs("brunt/cmd/brunt")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer remove()
	brunt = files[0]
	return suite.Loading(m).Run()
}

// The prober and brunt have one priority, and the systems a lower one, all of them above what else runs on this
// machine: so on a busy machine both send on time, and differ by what they measure and not by the processors that they
// get, and the systems are healthy but for the faults. A brunt that gets no processor can't know what the target did
// meanwhile; its interval says so.
const (
	proberAhead = 15
	systemAhead = 10
)

// goFirst raises the priority of a process; threads and processes that it starts later inherit it. Where the kernel
// groups processes by session, a priority holds within the session alone, and each session has an equal share, however
// many run in it: the group is raised too, and by as much for all, since those that a test starts are of one session.
func goFirst(process string, by int) error {
	_ = os.WriteFile("/proc/"+process+"/autogroup", []byte(strconv.Itoa(-proberAhead)), 0) // "man 7 sched"; where it is
	tasks, err := os.ReadDir("/proc/" + process + "/task")
	if err != nil {
		return err
	}
	for _, task := range tasks {
		id, err := strconv.Atoi(task.Name())
		if err == nil {
			err = syscall.Setpriority(syscall.PRIO_PROCESS, id, -by)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
