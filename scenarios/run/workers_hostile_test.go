package run_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/run"
	"brunt/scenarios/run/workers"
)

// lies are changes to what a worker reports: keys of the report of a turn and of the end, with their values. A key that
// a report lacks is not added.
var lies = map[string]struct {
	with map[string]string
	want string // why the worker is lost
}{
	"statistics of no load":  {map[string]string{"Stats": "[]"}, "it reported the end of 0 loads, and the run has 1"},
	"statistics of two":      {map[string]string{"Stats": "[{},{}]"}, "it reported the end of 2 loads, and the run has 1"},
	"errors of no load":      {map[string]string{"Failures": "[]"}, "it reported the end of 1 load, and the run has 1"},
	"a fault that is none":   {map[string]string{"Sets": "[[7]]"}, "it met fault 7 of 0"},
	"a fault before all":     {map[string]string{"Sets": "[[-1]]"}, "it met fault -1 of 0"},
	"cells that are none":    {map[string]string{"Cells": `"/////w=="`}, "worker 1: "},
	"the step of another":    {map[string]string{"Slowest": `[{"Step":99,"Set":0}]`}, "worker 1: "},
	"the set of another":     {map[string]string{"Slowest": `[{"Step":0,"Set":99}]`}, "worker 1: "},
	"text for a number":      {map[string]string{"Known": `"soon"`}, "cannot unmarshal string"},
	"a list for all":         {map[string]string{"": "[]"}, "cannot unmarshal array"},
	"loads and ledgers, too": {map[string]string{"InFlight": "[1,2,3]", "Writes": "[null,{},{}]", "Opened": "[]"}, ""},
}

// liar is a worker that lies, if it is the first one that could create a file.
func liar(lie, first string) error {
	out := io.Writer(os.Stdout)
	if f, err := os.OpenFile(first, os.O_CREATE|os.O_EXCL, 0o600); err == nil {
		_ = f.Close()
		said, into := io.Pipe()
		defer into.Close()
		go changed(said, lies[lie].with)
		out = into
	} else if !errors.Is(err, fs.ErrExist) {
		return err
	}
	return run.ServeWorker(context.Background(), os.Stdin, out, compileSource)
}

// changed passes the responses of a worker on, and changes its reports.
func changed(said io.Reader, with map[string]string) {
	lines := bufio.NewReader(said)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var response struct {
			ID     int             `json:"id"`
			Error  string          `json:"error,omitempty"`
			Result json.RawMessage `json:"result,omitempty"`
		}
		var report map[string]json.RawMessage
		if json.Unmarshal(line, &response) == nil && json.Unmarshal(response.Result, &report) == nil &&
			report["Known"] != nil {
			for key, value := range with {
				switch {
				case key == "":
					response.Result = json.RawMessage(value)
				case report[key] != nil:
					report[key] = json.RawMessage(value)
					response.Result, _ = json.Marshal(report)
				}
			}
			line, _ = json.Marshal(response)
			line = append(line, '\n')
		}
		if _, err := os.Stdout.Write(line); err != nil {
			return
		}
	}
}

// TestWorkers_Hostile: a worker that reports what cannot be is lost, with the reason; the run ends with its verdict,
// and the other worker's load counts.
func TestWorkers_Hostile(t *testing.T) {
	t.Parallel()
	s := newAsked(t)
	for name, lie := range lies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := fmt.Sprintf(`
version: 1
target: {url: %q}
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 500ms, flow: [{get: /}]}}
slo: [errors < 50%%]
`, s.URL)
			p := mustCompile(t, text)
			res, err := run.Run(t.Context(), p, run.Options{State: t.TempDir(), Workers: run.Workers{
				N: 2, Command: self("liar", name, filepath.Join(t.TempDir(), "first")),
				Source: workers.Source{Path: p.Scenario.File, Text: text},
			}})
			if err != nil {
				t.Fatal(err)
			}
			why, honest := "", int64(0)
			for _, w := range res.Workers {
				if w.LostWhy != "" {
					why += w.LostWhy
				} else {
					honest += w.Reported
				}
			}
			if lie.want == "" {
				if why != "" || honest != 50 || res.Verdict != scenarios.Pass {
					t.Errorf("lost %q, %d reported, %s %s", why, honest, res.Verdict, res.Reason)
				}
				return
			}
			lie.want = strings.ReplaceAll(lie.want, "worker 1: ", "worker ")
			if !strings.Contains(why, lie.want) || honest != 25 {
				t.Errorf("lost because %q, want %q; the other reported %d", why, lie.want, honest)
			}
		})
	}
}
