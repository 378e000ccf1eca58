package reporters

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"

	"brunt/scenarios/result"
)

// A Reporter writes a finished run in one format. It only reads the result.
type Reporter interface {
	Report(w io.Writer, r *result.Result) error
}

// A Live is told of a run that goes on, once a second.
type Live interface {
	Observe(result.Interval)
}

// Kinds makes reporters by the name of their format, and by the name of the file
// that [Write] gives them.
func Kinds() map[string]func() Reporter {
	kinds := map[string]func() Reporter{
		"csv":      func() Reporter { return CSV{} },
		"events":   func() Reporter { return Events{} },
		"github":   func() Reporter { return GitHub{} },
		"gitlab":   func() Reporter { return GitLab{} },
		"hlog":     func() Reporter { return Hlog{} },
		"html":     func() Reporter { return HTML{} },
		"json":     func() Reporter { return JSON{} },
		"junit":    func() Reporter { return JUnit{} },
		"scenario": func() Reporter { return Scenario{} },
		"terminal": func() Reporter { return NewTerminal(io.Discard, TerminalOptions{}) },
	}
	maps.Copy(kinds, vegetaKinds())
	for _, f := range files {
		kinds[f.name] = kinds[f.kind]
	}
	return kinds
}

// The names of the files of a run.
const (
	resultFile   = "result.json"
	hlogFile     = "latency.hlog"
	eventsFile   = "events.jsonl"
	scenarioFile = "scenario.yaml"
	junitFile    = "junit.xml"
)

// files lists what Write writes, the evidence first: should the disk fill up, the
// page can be drawn again from it.
var files = []struct {
	name, kind string
	evidence   bool // the others can be drawn from it
}{
	{resultFile, "json", true},
	{hlogFile, "hlog", true},
	{eventsFile, "events", true},
	{scenarioFile, "scenario", false},
	{junitFile, "junit", false},
	{HTMLFile, "html", false},
}

// HTMLFile is the name of the page of a report in its folder.
const HTMLFile = "report.html"

// Write writes the files of a run into dir, which it makes. Each appears whole or
// not at all, and one that fails does not keep the others from being written; the
// error joins all failures.
func Write(dir string, r *result.Result) error {
	return write(dir, r, func(string, bool) bool { return true })
}

// Redraw writes the files of a run that can be drawn from the others, which stay as they
// are. So do those that a seal holds, which it gives the names of.
func Redraw(dir string, r *result.Result) (kept []string, err error) {
	same, err := asSealed(dir)
	if err != nil {
		return nil, err
	}
	err = write(dir, r, func(name string, evidence bool) bool {
		if !evidence && same[name] {
			kept = append(kept, name)
		}
		return !evidence && !same[name]
	})
	return kept, err
}

// Draw writes the files that can be drawn from the others into a folder of their own.
func Draw(dir string, r *result.Result) error {
	return write(dir, r, func(_ string, evidence bool) bool { return !evidence })
}

func write(dir string, r *result.Result, wanted func(name string, evidence bool) bool) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the folder of the report: %w", err)
	}
	kinds := Kinds()
	var errs []error
	for _, f := range files {
		if !wanted(f.name, f.evidence) {
			continue
		}
		rep := kinds[f.kind]()
		if err := writeFile(filepath.Join(dir, f.name), func(w io.Writer) error { return rep.Report(w, r) }); err != nil {
			errs = append(errs, fmt.Errorf("writing %s: %w", f.name, err))
		}
	}
	return errors.Join(errs...)
}

// writeFile writes beside path and renames, so that a reader never sees a half.
func writeFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	b := bufio.NewWriterSize(f, 1<<16)
	err = write(b)
	if err == nil {
		err = b.Flush()
	}
	if err == nil {
		err = f.Sync() // some file systems say only now that they are full
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	if err := os.Chmod(f.Name(), 0o644); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
