package compose

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"brunt/targets/platform"
	"brunt/targets/platform/process"
	"brunt/targets/platform/procgroup"
)

// Command returns the machine's Compose command.
func Command(ctx context.Context) ([]string, error) {
	if path, err := exec.LookPath("docker"); err == nil {
		if exec.CommandContext(ctx, path, "compose", "version").Run() == nil {
			return []string{path, "compose"}, nil
		}
	}
	if path, err := exec.LookPath("docker-compose"); err == nil {
		return []string{path}, nil
	}
	return nil, errors.New("there is no Compose command: neither `docker compose` nor docker-compose is installed; on " +
		"Debian apt-get install " +
		"docker-compose brings one, or write the services under `target: {containers: …}`, which needs none")
}

// run runs the Compose command to its end. The command is killed when brunt dies.
func (d *driver) run(ctx context.Context, args ...string) error {
	command, err := Command(ctx)
	if err != nil {
		return err
	}
	f := d.spec.Compose
	all := slices.Concat(command[1:], []string{"--file", f.Path, "--project-name", d.name})
	for _, profile := range f.Profiles {
		all = append(all, "--profile", profile)
	}
	var out bytes.Buffer
	cmd := exec.Command(command[0], append(all, args...)...)
	cmd.Dir = filepath.Dir(f.Path)
	cmd.Env = append(append(os.Environ(), f.Env...), "BRUNT_RUN="+d.o.Run, "BRUNT_UNIT=compose")
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = time.Second
	if d.spawner == nil {
		d.spawner = process.NewSpawner()
	}
	if err := d.spawner.Start(cmd); err != nil {
		return fmt.Errorf("%s %s: %w", strings.Join(command, " "), args[0], err)
	}
	defer context.AfterFunc(ctx, func() { procgroup.Kill(cmd.Process.Pid) })()
	if err := cmd.Wait(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%s %s: %w; it said:\n%s", strings.Join(command, " "), args[0], err,
			platform.LastLines(out.String()))
	}
	return nil
}
