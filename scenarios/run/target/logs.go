package target

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/cluster"
	chaoscontainer "brunt/chaos/container"
	"brunt/chaos/kube"
	"brunt/scenarios/secret"
	"brunt/targets/platform/docker"
)

const (
	mostLog     = 64 << 20         // bytes of a container's output that are kept, as of a process's
	readLogsFor = 30 * time.Second // bounds the reading of all
)

// keepLogs writes what each container of the target has printed during the run into the folder of logs, before the
// containers are removed. Processes write theirs themselves. Of pods it keeps those that the run has made: others have
// a keeper of their own, and the right to read them would be one more.
func (s *System) keepLogs(ctx context.Context) {
	h := s.host
	if h.LogDir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, readLogsFor)
	defer cancel()
	for _, u := range s.Units() {
		err := error(nil)
		if c, ok := chaoscontainer.Of(u); ok {
			err = s.keepLog(ctx, c)
		} else if p, ok := cluster.Of(u); ok && s.group != nil {
			err = s.keepPodLog(ctx, p)
		}
		if err != nil {
			s.LostLogs = append(s.LostLogs, fmt.Sprintf("the output of %s is not kept: %v", u.Name(), err))
		}
	}
}

// keepPodLog writes what the container of a pod has printed, and what it printed before its last start. What a pod
// printed that was deleted is not kept.
func (s *System) keepPodLog(ctx context.Context, p *cluster.Pod) error {
	pod, err := p.Now(ctx)
	if err != nil {
		return err
	}
	name, err := p.Container(pod)
	if err != nil {
		return err
	}
	for i := range pod.Spec.Containers {
		for _, e := range pod.Spec.Containers[i].Env {
			s.host.Plan.Scenario.Secrets.Name(e.Name, e.Value)
		}
	}
	return s.host.writeLog(p.Name(), func(to io.Writer) (cut bool, err error) {
		for i := range pod.Status.ContainerStatuses {
			if is := &pod.Status.ContainerStatuses[i]; is.Name == name && is.RestartCount > 0 {
				// its node may have removed it
				_, _ = p.Target().Log(ctx, pod.Namespace, pod.Name, name, kube.Former, s.began, to, mostLog)
			}
		}
		return p.Target().Log(ctx, pod.Namespace, pod.Name, name, kube.Present, s.began, to, mostLog)
	})
}

// learn makes secret what a container was given where a secret name says so, as it may print that. The scenario does
// not tell of it where a Compose file does.
func (h *Host) learn(ctx context.Context, c *chaoscontainer.Container) error {
	env, args, err := docker.Given(ctx, c.Engine, c.Ref)
	if err != nil {
		return err
	}
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		h.Plan.Scenario.Secrets.Name(name, value)
	}
	h.Plan.Scenario.Secrets.Learn(secret.Values(strings.Join(args, " "))...)
	return nil
}

func (s *System) keepLog(ctx context.Context, c *chaoscontainer.Container) error {
	if err := s.host.learn(ctx, c); err != nil {
		return err
	}
	return s.host.writeLog(c.Name(), func(to io.Writer) (cut bool, err error) {
		return docker.Logs(ctx, c.Engine, c.Ref, s.began, to, mostLog)
	})
}

// writeLog writes what a unit has printed to its file.
func (h *Host) writeLog(unit string, of func(to io.Writer) (cut bool, err error)) error {
	masked, err := h.Plan.Scenario.Secrets.OpenLog(filepath.Join(h.LogDir, logName(unit)), os.O_APPEND)
	if err != nil {
		return err
	}
	cut, err := of(masked)
	if cut && err == nil {
		_, err = masked.Write([]byte("\n… more was printed; brunt keeps 64 MiB\n"))
	}
	if cerr := masked.Close(); err == nil {
		err = cerr
	}
	return err
}

// logName is the name of the file with the output of a unit: service-index.log.
func logName(unit string) string {
	if service, index, ok := chaos.SplitUnit(unit); ok {
		unit = service + "-" + strconv.Itoa(index)
	}
	return strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || r == ':' {
			return '-'
		}
		return r
	}, unit) + ".log"
}
