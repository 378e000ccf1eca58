package run

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"brunt/scenarios"
	"brunt/scenarios/template"
)

// scriptEnv is the script's environment.
func (r *runner) scriptEnv(s *scenarios.Script, base string) (map[string]string, error) {
	out := map[string]string{"BRUNT_URL": base}
	it := &template.Iter{Env: r.env}
	for name := range s.Env {
		v := s.Env[name]
		text, err := v.Append(nil, it)
		if err != nil {
			return nil, fmt.Errorf("env.%s: %w", name, err)
		}
		out[name] = string(text)
	}
	return out, nil
}

// errNoProgram means that brunt-k6 was not found.
var errNoProgram = errors.New("a script of k6 can't be run")

// scriptLog is the log for the output of a script; nil where no log is kept.
func (r *runner) scriptLog(load string) (io.WriteCloser, error) {
	if r.o.LogDir == "" {
		return nil, nil
	}
	if err := os.MkdirAll(r.o.LogDir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(r.o.LogDir, "k6-"+load+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	return r.Scenario.Secrets.Log(f), nil
}
