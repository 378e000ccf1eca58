package target

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"brunt/chaos"
	chaoscontainer "brunt/chaos/container"
	"brunt/scenarios/secret"
	"brunt/targets/platform/docker"
)

const (
	mostLog     = 64 << 20         // bytes of a container's output that are kept, as of a process's
	readLogsFor = 30 * time.Second // bounds the reading of all
)

// keepLogs writes what each container of the target has printed during the run into the folder of logs,
// before the containers are removed. Processes write theirs themselves.
func (s *System) keepLogs(ctx context.Context) {
	h := s.host
	if h.LogDir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, readLogsFor)
	defer cancel()
	for _, u := range s.Units() {
		c, ok := chaoscontainer.Of(u)
		if !ok {
			continue
		}
		if err := s.keepLog(ctx, c); err != nil {
			s.LostLogs = append(s.LostLogs, fmt.Sprintf("the output of %s is not kept: %v", c.Name(), err))
		}
	}
}

// learn makes secret what a container was given where a secret name says so, as it may print that. The scenario does not tell of
// it where a Compose file does.
func (s *System) learn(ctx context.Context, c *chaoscontainer.Container) error {
	env, args, err := docker.Given(ctx, c.Engine, c.Ref)
	if err != nil {
		return err
	}
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		s.host.Scenario.Secrets.Name(name, value)
	}
	s.host.Scenario.Secrets.Learn(secret.Values(strings.Join(args, " "))...)
	return nil
}

func (s *System) keepLog(ctx context.Context, c *chaoscontainer.Container) (err error) {
	if err := s.learn(ctx, c); err != nil {
		return err
	}
	masked, err := s.host.Scenario.Secrets.OpenLog(filepath.Join(s.host.LogDir, logName(c.Name())), os.O_APPEND)
	if err != nil {
		return err
	}
	cut, err := docker.Logs(ctx, c.Engine, c.Ref, s.began, masked, mostLog)
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
