package script

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"brunt/scenarios"
	"brunt/scenarios/template"
)

// environ returns the environment of a script.
func (h *Host) environ(s *scenarios.Script) (map[string]string, error) {
	out := map[string]string{"BRUNT_URL": h.Base}
	it := &template.Iter{Env: h.Env}
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

// openLog opens the log for the output of a script; nil if no log is kept.
func (h *Host) openLog(load string) (io.WriteCloser, error) {
	if h.LogDir == "" {
		return nil, nil
	}
	return h.Plan.Scenario.Secrets.OpenLog(filepath.Join(h.LogDir, "k6-"+load+".log"), os.O_APPEND)
}
