package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// brunts are the docker commands that list the identifiers of brunt's objects in the engine, and that remove them.
var brunts = []struct {
	list   []string
	remove []string // removes what an ended part left; nil: the watchdogs remove it
}{
	{[]string{"ps", "-aq", "--filter", "label=brunt.run"}, []string{"rm", "-f"}},
	{[]string{"network", "ls", "-q", "--filter", "label=brunt.run"}, []string{"network", "rm"}},
	{[]string{"images", "-q", "--filter", "label=brunt.run"}, []string{"rmi", "-f"}},
	{[]string{"ps", "-aq", "--filter", "label=brunt.agent"}, nil},
}

func ask(ctx context.Context, list []string) ([]string, error) {
	c := exec.CommandContext(ctx, "docker", list...)
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("docker %s: %w", list[0], err)
	}
	return strings.Fields(string(out)), nil
}

// labelled lists brunt's objects in the engine: containers, networks, images.
func labelled(ctx context.Context) (out []string, err error) {
	for _, b := range brunts {
		ids, err := ask(ctx, b.list)
		if err != nil {
			return nil, err
		}
		out = append(out, ids...)
	}
	return out, nil
}

// fresh returns the identifiers that are not in the file before, in which .ci/prepare listed the existing ones.
func fresh(ids []string) []string {
	text, _ := os.ReadFile(filepath.Join(os.Getenv("work"), "before"))
	had := strings.Fields(string(text))
	ids = slices.DeleteFunc(ids, func(id string) bool { return slices.Contains(had, id) })
	slices.Sort(ids)
	return slices.Compact(ids)
}

// leftBehind returns an error if something of brunt is left on this machine.
func leftBehind(ctx context.Context) error {
	if err := loud(ctx, nil, "go", "run", "./cmd/brunt", "status"); err != nil {
		return err
	}
	ids, err := labelled(ctx)
	if err != nil {
		return err
	}
	left := fresh(ids)
	if len(left) == 0 {
		return nil
	}
	at, err := containers.FindEngine(os.Getenv)
	if err != nil {
		return err
	}
	e, err := docker.Open(at, docker.Options{})
	if err != nil {
		return err
	}
	defer e.Close()
	left = slices.DeleteFunc(left, func(id string) bool {
		err := e.RemoveNetwork(ctx, id)
		if !errors.Is(err, docker.ErrMiscounted) {
			return false
		}
		fmt.Println(err) // a defect of the engine, which no client can mend
		return true
	})
	if len(left) > 0 {
		return fmt.Errorf("left in the engine:\n%s", strings.Join(left, "\n"))
	}
	return nil
}

// sweep removes the remains of a part that the time limit ended, which its tests could no longer remove. It first
// lets the watchdogs of its brunts revert the faults. Objects that the engine had before are kept.
func sweep(ctx context.Context) error {
	for range 60 {
		if silent(ctx, nil, "go", "run", "./cmd/brunt", "status") == nil {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
	for _, b := range brunts {
		ids, err := ask(ctx, b.list)
		if err != nil {
			return err
		}
		ids = fresh(ids)
		if len(ids) == 0 || b.remove == nil {
			continue
		}
		if err := silent(ctx, nil, append(append([]string{"docker"}, b.remove...), ids...)...); err != nil {
			return err
		}
	}
	return nil
}
