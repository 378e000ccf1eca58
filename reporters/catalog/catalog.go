package catalog

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"brunt/reporters"
	"brunt/reporters/ci"
	"brunt/reporters/evidence"
	"brunt/reporters/html"
	"brunt/reporters/push"
	"brunt/reporters/terminal"
	"brunt/scenarios/result"
)

// A List is a list of reporters. Its methods use only these reporters.
type List []reporters.Reporter

// All returns every reporter, one line each. Reporters of evidence come first: if the disk
// fills up, the other files can be drawn from the evidence.
func All() List {
	return List{
		evidence.JSON{},
		evidence.Hlog{},
		evidence.Events{},
		evidence.Scenario{},
		ci.JUnit{},
		html.Page{},
		ci.CSV{},
		ci.GitHub{},
		ci.GitLab{},
		ci.Markdown{},
		ci.K6{},
		ci.Vegeta{Encoding: "csv"},
		ci.Vegeta{Encoding: "gob"},
		ci.Vegeta{Encoding: "json"},
		terminal.New(io.Discard, terminal.Options{}),
	}
}

// Pushes returns every kind of service that a run can push to while it goes on, one line each.
func Pushes() []push.Kind {
	return []push.Kind{
		push.Prometheus(),
		push.OTLP(),
		push.OTLPTraces(),
		push.Grafana(),
		push.RequestsTo(ci.K6{}.Format(), ci.K6Live),
	}
}

// Named returns the reporter whose format or file has the name; nil if no reporter has it.
func (l List) Named(name string) reporters.Reporter {
	for _, rep := range l {
		if f := rep.Format(); f.Name == name || f.File == name {
			return rep
		}
	}
	return nil
}

// Formats describes the reporters of the list by the names of their formats.
func (l List) Formats() []reporters.Format {
	var out []reporters.Format
	for _, rep := range l {
		out = append(out, rep.Format())
	}
	slices.SortFunc(out, func(a, b reporters.Format) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// Derived reports whether a file with that name can be drawn from the evidence.
func (l List) Derived(file string) bool {
	rep := l.Named(file)
	return rep != nil && rep.Format().File == file && !rep.Format().Evidence
}

// without returns the list without the reporters for which skip returns true.
func (l List) without(skip func(reporters.Format) bool) List {
	return slices.DeleteFunc(slices.Clone(l), func(rep reporters.Reporter) bool { return skip(rep.Format()) })
}

// Write writes the files of a run into dir, see [reporters.WriteFiles].
func (l List) Write(dir string, r *result.Result) error { return reporters.WriteFiles(dir, r, l) }

// Rewrite writes the files of a run again after Write failed (for example because the disk was full) and the result
// changed. It first removes the drawn files, to make room for the evidence. It then overwrites the evidence in place
// where the disk has no room for a second copy. So result.json holds r in each place where Write left one.
func (l List) Rewrite(dir string, r *result.Result) error {
	var errs []error
	for _, rep := range l {
		f := rep.Format()
		if f.File == "" || f.Evidence {
			continue
		}
		if at, err := os.Lstat(filepath.Join(dir, f.File)); err == nil && at.Mode().IsRegular() {
			errs = append(errs, os.Remove(filepath.Join(dir, f.File)))
		}
	}
	errs = append(errs, reporters.RewriteFiles(dir, r, l.without(func(f reporters.Format) bool { return !f.Evidence })),
		l.Draw(dir, r))
	return errors.Join(errs...)
}

// Draw writes the files that are drawn from the evidence into a separate folder.
func (l List) Draw(dir string, r *result.Result) error {
	return reporters.WriteFiles(dir, r, l.without(func(f reporters.Format) bool { return f.Evidence }))
}

// Redraw draws a run's files from its evidence again, into the folder that holds the evidence, and gives SHA256SUMS
// their new sums. Where a signature or an attestation stands on SHA256SUMS, it keeps each file that still matches, even
// if this version of brunt draws it otherwise. Kept and drawn are the names of the files that differ and those written.
func (l List) Redraw(dir string, r *result.Result) (kept, drawn []string, err error) {
	same, sealed, err := evidence.Unchanged(dir)
	if err != nil {
		return nil, nil, err
	}
	list := l.without(func(f reporters.Format) bool { return f.Evidence })
	kept, drawn, err = reporters.RefreshFiles(dir, r, list, func(name string) bool { return sealed && same[name] })
	if !sealed {
		err = errors.Join(err, evidence.Reseal(dir, drawn))
	}
	return kept, drawn, err
}

// Clear removes the files and the manifest of an earlier run, so that a killed run leaves no
// files that look like its own.
func (l List) Clear(dir string) error {
	if err := evidence.RemoveManifest(dir); err != nil {
		return err
	}
	for _, rep := range l {
		file := rep.Format().File
		if file == "" {
			continue
		}
		if err := os.Remove(filepath.Join(dir, file)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	written, err := filepath.Glob(filepath.Join(dir, "ledger*.jsonl"))
	if err != nil {
		return err
	}
	// files that the run itself writes
	for _, path := range append(written, filepath.Join(dir, "deliveries.jsonl"),
		filepath.Join(dir, result.SentFile), filepath.Join(dir, evidence.RequestsFile),
		filepath.Join(dir, "logs")) {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}
