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
	mostLog     = 64 << 20         // maximum bytes of a container's output that are kept, the same as for a process
	readLogsFor = 30 * time.Second // time limit for reading all logs
)

// keepLogs writes the output of each container of the target during the run into the folder of logs, before the
// containers are removed. Processes write their output themselves. For pods it keeps only logs of pods that the run
// made: clusters keep logs of other pods themselves, and reading them would take one more right.
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

// keepPodLog writes the output of a pod's container, and its output before the last restart. Output of a deleted pod
// is not kept.
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
				// an error does not matter: the node may have removed this log
				_, _ = p.Target().Log(ctx, pod.Namespace, pod.Name, name, kube.Former, s.began, to, mostLog)
			}
		}
		return p.Target().Log(ctx, pod.Namespace, pod.Name, name, kube.Present, s.began, to, mostLog)
	})
}

// learn makes values of a container's settings secret if their names mark them as secret, because the container may
// print them. The scenario does not have these values if a Compose file sets them.
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

// writeLog writes the output of a unit to its file.
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

// logName returns the name of the file with the output of a unit: service-index.log.
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
