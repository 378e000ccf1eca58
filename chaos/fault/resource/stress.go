package resource

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"brunt/chaos"
	"brunt/chaos/cgroup"
	"brunt/chaos/container"
	"brunt/chaos/proc"
	"brunt/chaos/rootfs"
	"brunt/chaos/stress"
	"brunt/chaos/victim"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// StressCPU is the fault stress.cpu.
type StressCPU struct {
	victim.Fault `yaml:",inline"`
	Load         quantity.Share `yaml:"load"` // share of the time for which each worker is busy; zero is 100%
	// number of workers, each on a processor of its own if there are as many; zero is one for each processor of the
	// machine
	Workers int `yaml:"workers,min=1,max=1024"`
}

// StressMemory is the fault stress.memory.
type StressMemory struct {
	victim.Fault `yaml:",inline"`
	Bytes        quantity.Size `yaml:"bytes,min=1"` // bytes to take
	// instead of bytes: a share of the limit of the unit's control group, else of the machine's memory
	Percent quantity.Share `yaml:"percent"`
	// the process that the kernel kills if memory runs out; zero is stressor: the stress process, and the fault is over
	// early, which voids the run. With unit, the fault takes memory until the kernel has killed the unit. burner is the
	// old name of stressor
	OOM string `yaml:"oom,oneof=stressor|unit|burner"`
}

// StressIO is the fault stress.io.
type StressIO struct {
	victim.Fault `yaml:",inline"`
	// a directory of the unit on the disk to hit, in which ${self.index} and the like name the unit; zero is /tmp
	Path    victim.Path `yaml:"path"`
	Workers int         `yaml:"workers,min=1,max=256"` // each with a file of 64 MiB that has no name; zero is one
}

var (
	_ chaos.Fault = (*StressCPU)(nil)
	_ chaos.Fault = (*StressMemory)(nil)
	_ chaos.Fault = (*StressIO)(nil)
)

func (s *StressCPU) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	s.CheckSelector(at, sc, m)
	onlyLinux(at, s.Describe(), m)
	if s.Has("load") && s.load() < .01 {
		m.Add(s.Of("load"), "a load of %s can't be found; it is at least 1%%", s.Load)
	}
}

func (s *StressCPU) load() float64 {
	if s.Load == 0 && !s.Has("load") {
		return 1
	}
	return float64(s.Load)
}

func (s *StressCPU) workers() int {
	if s.Workers == 0 {
		return runtime.NumCPU()
	}
	return s.Workers
}

func (s *StressMemory) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	s.CheckSelector(at, sc, m)
	onlyLinux(at, s.Describe(), m)
	if s.Has("bytes") == s.Has("percent") {
		m.AddHint(at, "such as {bytes: 200MiB}", "want exactly one of bytes, percent")
	} else if s.Has("percent") && s.Percent == 0 {
		m.Add(s.Of("percent"), "0%% takes no memory; want more")
	}
}

func (s *StressIO) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	s.CheckSelector(at, sc, m)
	onlyLinux(at, s.Describe(), m)
	s.path().Check(s.Of("path"), m)
}

func (s *StressIO) path() victim.Path { return cmp.Or(s.Path, "/tmp") }

func (s *StressCPU) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return s.Each(ctx, env, func(v victim.Victim) victim.Planned {
		b := &stressCPU{stressing{Victim: v, burn: victim.StressorsOf(env.Host), score: 1000}}
		b.job.CPU = &stress.CPU{Load: s.load(), Workers: s.workers()}
		return b
	})
}

func (s *StressMemory) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	kills := s.OOM == "unit" // the fault ends when the killed container is started again
	lost := func(container.Target) bool { return !kills }
	return s.EachAcross(ctx, env, lost, func(v victim.Victim) victim.Planned {
		b := &stressMemory{
			stressing: stressing{Victim: v, burn: victim.StressorsOf(env.Host), score: 1000}, kill: kills,
			share: float64(s.Percent),
		}
		b.job.Memory = &stress.Memory{Bytes: int64(s.Bytes)}
		return b
	})
}

func (s *StressIO) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return s.Each(ctx, env, func(v victim.Victim) victim.Planned {
		b := &stressIO{
			stressing: stressing{Victim: v, burn: victim.StressorsOf(env.Host), score: 1000}, set: s.path(),
			path: string(s.path()),
		}
		b.job.Disk = &stress.Disk{Workers: max(1, s.Workers), Block: 1 << 20, Blocks: 64, Write: true, Read: true}
		return b
	})
}

// stressing is a unit with stress processes in its control groups.
type stressing struct {
	victim.Victim
	burn  victim.Stressors
	job   stress.Job
	score int
	dir   *os.File
	b     *stress.Process
	began time.Time
}

func (*stressing) Via() string { return "stressor" }

func (b *stressing) Undo() []chaos.Undo { return b.burn.Undo() }

// start starts a stress process with a job in every group of the unit.
func (b *stressing) start(job stress.Job) error {
	if !b.ID.Alive() {
		return proc.ErrEnded
	}
	c := stress.Config{File: b.dir, Score: b.score}
	for _, controller := range []cgroup.Controller{
		cgroup.CPU, cgroup.CPUAcct, cgroup.CPUSet, cgroup.Memory, cgroup.Disk, cgroup.Freezer,
	} {
		g, err := b.Groups.Find(b.ID.PID, controller)
		if errors.Is(err, cgroup.ErrNone) {
			continue
		}
		if err != nil {
			return err
		}
		if own, err := b.Groups.Find(os.Getpid(), controller); err != nil || own != g { // otherwise it starts there anyway
			c.Groups = append(c.Groups, g)
		}
	}
	job.Unit = b.ID.PID
	var err error
	b.began = time.Now()
	b.b, err = b.burn.Start(c, job)
	return err
}

func (b *stressing) Traits() chaos.HeldTraits { return chaos.HeldTraits{Ended: b.ended} }

// ended returns an error if the stress process ended before its time while its unit lives. When its unit ends, it ends
// too, which is no error.
func (b *stressing) ended(context.Context) error {
	if how, ended := b.b.Ended(); ended && b.ID.Alive() {
		return chaos.EndedEarlyError{
			Unit: b.Unit.Name(), What: "lost its stress process (" + how + ")", At: b.b.EndedAt(), By: chaos.NotOurs,
		}
	}
	return nil
}

func (b *stressing) Revert(ctx context.Context) (chaos.Outcome, error) {
	if err := b.b.End(ctx); err != nil {
		return chaos.Failed, err
	}
	return chaos.Reverted, nil
}

func (b *stressing) Gone(context.Context) (string, error) {
	if _, ended := b.b.Ended(); !ended {
		return "", fmt.Errorf("the stress process, pid %d, still runs", b.b.PID())
	}
	return fmt.Sprintf("the stress process, pid %d, is no more", b.b.PID()), nil
}

// over returns an error if the stress process has ended before its time.
func (b *stressing) over() error {
	if victim.Alive(b.b.PID()) {
		return nil
	}
	<-b.b.Done()
	how, _ := b.b.Ended()
	return fmt.Errorf("%w: the stress process beside %s has ended: %s", chaos.ErrNoEffect, b.Unit.Name(), how)
}

// shownBy says what a stress process shows of a fault. That is brunt's own process: what the unit suffers by it is not
// measured.
func (b *stressing) shownBy(does string) string {
	return fmt.Sprintf("a process of brunt's in its place (pid %d) %s; what %s suffers by that is not measured", b.b.PID(),
		does, b.Unit.Name())
}

// stressCPU uses processor time.
type stressCPU struct{ stressing }

// Plan does nothing: there is always processor time.
func (*stressCPU) Plan() error { return nil }

func (s *stressCPU) String() string {
	return fmt.Sprintf("burn %s of a processor in the place of %s, with %s", quantity.FormatShare(s.job.CPU.Load),
		s.Victim,
		syntax.Amount(s.job.CPU.Workers, "worker"))
}

func (s *stressCPU) Inject(context.Context) (chaos.Held, error) {
	if err := s.start(s.job); err != nil {
		return nil, err
	}
	return s, nil
}

const (
	burnedFor  = 400 * time.Millisecond // of the requested use; the machine, or the unit's quota, may not allow more
	leastBurnt = .5                     // share of the requested use; the machine, or the unit's quota, may not allow more
)

// Verify implements [chaos.Held]: the stress processes use, or wait for, the requested processor time.
func (s *stressCPU) Verify(ctx context.Context) (string, error) {
	if _, err := s.b.First(ctx); err != nil {
		return "", chaos.JoinErrors(s.over(), err)
	}
	want := s.job.CPU.Load * float64(s.job.CPU.Workers)
	for {
		began, used, waited := time.Now(), proc.RanOf(s.b.PID()), proc.WaitedOf(s.b.PID())
		select {
		case <-time.After(burnedFor):
		case <-s.b.Done():
			return "", s.over()
		case <-ctx.Done():
			return "", fmt.Errorf("%w: the stress process beside %s gets no processor", chaos.ErrNoEffect, s.Unit.Name())
		}
		took := time.Since(began).Seconds()
		burnt := (proc.RanOf(s.b.PID()) - used).Seconds() / took
		queued := (proc.WaitedOf(s.b.PID()) - waited).Seconds() / took
		if burnt+queued >= leastBurnt*want || burnt > 0 && s.held() {
			said := "uses " + processorsText(burnt)
			if burnt < leastBurnt*want {
				said += ", and waits for more"
			}
			return s.shownBy(said), nil
		}
	}
}

// held reports whether the unit's group has a processor quota.
func (s *stressCPU) held() bool {
	g, err := s.Groups.Find(s.ID.PID, cgroup.CPU)
	if err != nil {
		return false
	}
	n, err := g.Count("cpu.stat", "nr_throttled")
	return err == nil && n > 0
}

// stressMemory takes memory.
type stressMemory struct {
	stressing
	share  float64
	kill   bool // take memory until the kernel kills the unit
	limit  int64
	group  cgroup.Group
	scores []scored        // of the unit's processes, which the kernel is to kill first
	first  *stress.Process // takes half of the memory, so that neither stress process is larger than the unit
}

// leftToMachine is the number of bytes that stress leaves free on the machine.
const leftToMachine = 512 << 20

// Plan computes how much memory to take, and checks the limits against it.
func (s *stressMemory) Plan() error {
	r, err := limitFor(s.Victim, cgroup.Memory, s.burn.Run)
	if err != nil {
		return err
	}
	s.group = r.home
	if !r.home.Root {
		if s.limit, _, err = limitOf(r.home); err != nil {
			return fmt.Errorf("%s: %w", s.Victim, err)
		}
	}
	used, _, err := memoryUse(r.home)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Victim, err)
	}
	if s.share > 0 {
		of := s.limit
		if of == 0 {
			of = meminfo("MemTotal")
		}
		s.job.Memory.Bytes = int64(s.share * float64(of))
	}
	taken := s.job.Memory.Bytes
	if s.kill {
		switch {
		case r.shared():
			return fmt.Errorf("%s shares the control group %s with other processes, and the kernel could kill any of them; "+
				"run it in a container, or in a control group of its own (systemd-run --scope)", s.Victim, r.home.Path)
		case !s.Unit.Supervised():
			return fmt.Errorf("nothing starts %s again once the kernel has killed it; give it a restart policy", s.Unit.Name())
		case s.limit == 0:
			return fmt.Errorf("%s has no limit of memory, so it is the machine that would run out of it; give it one", s.Victim)
		}
		if s.scores, err = scoresOf(s.ID.PID); err != nil {
			return fmt.Errorf("%s: %w", s.Victim, err)
		}
		s.score = 0 // an agent in a pod has 1000 itself, so that only SYS_RESOURCE lowers it
		// Take a little more than is available, until the kernel has killed the unit. With much more, a stress process
		// would be larger than the unit when memory runs out, and be killed in its stead.
		taken = s.limit - used + beyond
		s.job.Memory.Bytes = taken
	}
	if s.limit > 0 {
		taken = min(taken, s.limit)
	}
	if left := available() - taken; left < leftToMachine {
		return fmt.Errorf("taking %s would leave %s to the machine, and at least %s must stay free", sizeText(taken),
			sizeText(max(0, left)), sizeText(leftToMachine))
	}
	return nil
}

func (s *stressMemory) String() string {
	what := sizeText(s.job.Memory.Bytes)
	if s.job.Memory.Bytes == 0 {
		what = quantity.FormatShare(s.share)
	}
	killed := ""
	if s.kill {
		killed = ", until it is killed"
	}
	return fmt.Sprintf("take %s of memory in the place of %s%s", what, s.Victim, killed)
}

func (s *stressMemory) Undo() []chaos.Undo {
	return append(undoScores(s.scores), s.stressing.Undo()...)
}

func (s *stressMemory) Inject(ctx context.Context) (chaos.Held, error) {
	if !s.kill {
		if err := s.start(s.job); err != nil {
			return nil, err
		}
		return s, nil
	}
	err := raiseScores(s.scores)
	s.Point("scores written")
	if err == nil {
		err = s.halves(ctx)
	}
	return s, err // the caller reverts what was injected
}

// endsWithin is the time in which a killed unit is no more, once a process in its place has ended.
const endsWithin = 2 * time.Second

// halves starts two stress processes, one after the other, that each take half of the memory. The second is not needed
// if the kernel has killed the unit before: that may also end the first.
func (s *stressMemory) halves(ctx context.Context) error {
	half := stress.Job{Memory: &stress.Memory{Bytes: s.job.Memory.Bytes / 2}}
	if err := s.start(half); err != nil {
		return err
	}
	s.first, s.b = s.b, nil
	for taken := int64(0); taken < half.Memory.Bytes && s.ID.Alive(); {
		r, err := s.first.Next(ctx)
		if err != nil { // the engine ends what is left in the place of a unit that was killed
			if proc.Await(ctx, endsWithin, func() bool { return !s.ID.Alive() }, "") != nil {
				return err
			}
			break
		}
		taken = r.Bytes
	}
	err := s.start(half)
	if s.b == nil && !s.ID.Alive() {
		s.first, s.b = nil, s.first
		return nil
	}
	return err
}

func (s *stressMemory) stopFirst() {
	if s.first != nil {
		s.first.Stop()
	}
}

func (s *stressMemory) Revert(ctx context.Context) (chaos.Outcome, error) {
	s.stopFirst()
	if s.b == nil { // no stress process was started
		return chaos.OperationsOf(resourceOperations()).Revert(ctx, undoScores(s.scores))
	}
	out, err := s.stressing.Revert(ctx)
	if len(s.scores) == 0 || err != nil {
		return out, err
	}
	if o, err := chaos.OperationsOf(resourceOperations()).Revert(ctx, undoScores(s.scores)); err != nil {
		return o, err
	}
	return out, nil
}

// Verify implements [chaos.Held]: the memory is taken, or the limit is reached and the kernel has killed the process
// that it was to kill.
func (s *stressMemory) Verify(ctx context.Context) (string, error) {
	for {
		r, err := s.b.Next(ctx)
		over := s.over() // read before asking how the process ended
		switch {
		case s.kill && !s.ID.Alive():
			return fmt.Sprintf("the kernel killed it (pid %d) because memory ran out: a process in its place had taken %s",
				s.ID.PID, sizeText(r.Bytes)), nil
		case !s.ID.Alive() && s.limit > 0:
			return fmt.Sprintf("it ended (pid %d) while a process in its place had taken %s of its limit of %s", s.ID.PID,
				sizeText(r.Bytes), sizeText(s.limit)), nil
		case !s.kill && s.b.Killed() && s.ID.Alive() && s.limit > 0:
			return fmt.Sprintf("a process in its place took %s, and was killed by the kernel for want of more",
				sizeText(r.Bytes)), nil
		case over != nil:
			return "", over
		case err != nil:
			return "", err
		case r.Bytes >= s.job.Memory.Bytes && !s.kill:
			if rss := proc.ResidentOf(s.b.PID()); rss < r.Bytes/2 {
				return "", fmt.Errorf("%w: of %s that were taken beside %s, %s are in memory", chaos.ErrNoEffect, sizeText(r.Bytes),
					s.Unit.Name(), sizeText(rss))
			}
			return s.shownBy("holds " + sizeText(r.Bytes)), nil
		}
	}
}

func (s *stressMemory) Traits() chaos.HeldTraits {
	return chaos.HeldTraits{Takes: 5 * time.Second, Ended: s.ended, EndsUnit: s.kill}
}

// ended returns the error of [stressing.ended], unless the kernel was meant to kill the unit. If the kernel has killed
// the stress process because memory ran out, the memory is free again since then.
func (s *stressMemory) ended(ctx context.Context) error {
	if s.kill {
		return nil
	}
	err := s.stressing.ended(ctx)
	if early, ok := errors.AsType[chaos.EndedEarlyError](err); ok && s.b.Killed() && s.limit > 0 {
		early.By = chaos.OutOfMemory
		return early
	}
	return err
}

func (s *stressMemory) Gone(ctx context.Context) (string, error) {
	said, err := s.stressing.Gone(ctx)
	if err != nil || !s.kill || !s.Unit.Supervised() {
		return said, err
	}
	return container.BackAgain(ctx, s.Unit, s.ID, s.began)
}

// stressIO keeps a disk busy.
type stressIO struct {
	stressing
	set  victim.Path
	path string
	name fileName // of the workers' files, until they are unlinked
}

// Plan checks that the path is on a disk.
func (s *stressIO) Plan() error {
	var err error
	if s.path, err = s.set.At(s.Unit); err != nil {
		return err
	}
	dir, err := rootfs.Open(s.ID.PID, s.path)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Victim, err)
	}
	defer dir.Close()
	space, err := rootfs.SpaceOf(dir)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Victim, err)
	}
	s.name = nameFor(dir, s.path)
	s.job.Disk.Name = s.name.Name
	need := int64(s.job.Disk.Workers) * int64(s.job.Disk.Blocks) * int64(s.job.Disk.Block)
	switch {
	case space.Memory:
		return fmt.Errorf("%s: %s is memory, and on no disk; name a path that lies on one", s.Victim, s.path)
	case space.Free < 2*need:
		return fmt.Errorf("%s: %s has %s left, and %s are wanted", s.Victim, s.path, sizeText(space.Free), sizeText(2*need))
	}
	return nil
}

func (s *stressIO) String() string {
	return fmt.Sprintf("read and write in %s in the place of %s, with %s", s.path, s.Victim,
		syntax.Amount(s.job.Disk.Workers, "worker"))
}

func (s *stressIO) Undo() []chaos.Undo { return append(s.name.undo(s.ID), s.stressing.Undo()...) }

func (s *stressIO) Inject(context.Context) (chaos.Held, error) {
	var err error
	if s.dir, err = rootfs.Open(s.ID.PID, s.path); err != nil {
		return nil, err
	}
	defer s.dir.Close()
	if err := s.start(s.job); err != nil {
		return nil, err
	}
	return s, nil
}

// Verify implements [chaos.Held]: the stress processes read and write the disk.
func (s *stressIO) Verify(ctx context.Context) (string, error) {
	const enough = 4 // blocks
	for {
		r, err := s.b.Next(ctx)
		if err := chaos.JoinErrors(s.over(), err); err != nil {
			return "", err
		}
		read, written := proc.DiskOf(s.b.PID())
		if n := read + written; r.Bytes >= enough*int64(s.job.Disk.Block) && n >= enough*int64(s.job.Disk.Block)/2 {
			return s.shownBy(fmt.Sprintf("has read and written %s at %s/s", sizeText(n),
				sizeText(int64(float64(n)/time.Since(s.began).Seconds())))), nil
		}
	}
}

func (s *stressIO) Traits() chaos.HeldTraits {
	return chaos.HeldTraits{Takes: 5 * time.Second, Ended: s.ended}
}

func (*StressCPU) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "stress.cpu", New: func() chaos.Fault { return new(StressCPU) }, Platform: "linux",
		Example:    "{service: store, load: 30%, workers: 1}",
		Effect:     chaos.Starved,
		Nature:     scenarios.Nature{Deeds: []scenarios.Deed{scenarios.Deaf, scenarios.Processor}},
		On:         chaos.OnProcesses,
		Agent:      &chaos.Rights{Caps: []string{"SYS_PTRACE"}, Cgroups: true},
		Undo:       resourceOperations(),
		Capability: stressCapability,
		Doc: "Uses processor time in the control group of a unit: the unit shares what its group may use, and what the " +
			"machine has, with the stress " +
			"processes.",
	}
}

func (*StressMemory) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "stress.memory", New: func() chaos.Fault { return new(StressMemory) }, Platform: "linux",
		Example:    "{service: store, bytes: 16MiB}",
		Effect:     chaos.Starved,
		Nature:     scenarios.Nature{Deeds: []scenarios.Deed{scenarios.Memory}},
		On:         chaos.OnProcesses,
		Agent:      &chaos.Rights{Caps: []string{"SYS_PTRACE", "SYS_RESOURCE"}, Cgroups: true},
		Undo:       resourceOperations(),
		Capability: stressCapability,
		Doc: "Takes memory in the control group of a unit: that much less is left of the group's limit " +
			"and of the machine's memory.",
	}
}

func (*StressIO) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "stress.io", New: func() chaos.Fault { return new(StressIO) }, Platform: "linux",
		Example:    "{service: store, path: /var/lib/store}",
		Effect:     chaos.Starved,
		On:         chaos.OnProcesses,
		Agent:      &chaos.Rights{Caps: []string{"SYS_PTRACE", "DAC_OVERRIDE"}, Cgroups: true},
		Undo:       resourceOperations(),
		Capability: stressCapability,
		Doc:        "Reads and writes in the control group of a unit, as fast as the disk allows.",
	}
}
