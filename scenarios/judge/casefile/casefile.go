// Package casefile stores the input and the findings of a judge in a file, so that another version of the judge can
// be run on the same input and compared.
//
//	BRUNT_CASES=DIR brunt run …  -->  DIR/RUN-*.case
//	BRUNT_SHADOW=DIR go test ./scenarios/judge/casefile  -->  each difference
//
// A case file is a gob stream of one [file], compressed by gzip. It has all data that a finding depends on: the cells
// of the recording, the faults, the freezes of brunt, and the case with its objectives. It lacks data that only
// identifies requests: the slowest requests, samples of errors and trace ids.
package casefile

import (
	"bytes"
	"compress/gzip"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
)

// variable is the environment variable that names the folder for case files. If it is empty, runs keep no case files.
const variable = "BRUNT_CASES"

// version is the version of a [file]. It changes when the meaning of a field changes.
const version = 1

// A file holds a case, its recording, and the findings of a judge.
type file struct {
	Version int

	Config   measure.Config // without its functions
	Freezes  []measure.Freeze
	History  measure.History
	Marks    []time.Duration
	InFlight map[time.Duration]int64
	Cells    []byte // as [measure.Recording.Write] writes them
	Failed   string // the error of the recording; empty means none

	Causes map[scenarios.Cause]string // names of the causes in the cells

	Case       judge.Case // without its functions and samples, and without the fields that the next five hold
	Objectives []objective
	Ledgers    []byte // ledgers of the case as JSON, because gob drops a pointer to zero
	Usage      []byte
	Series     []byte
	Links      []byte
	// of registers
	Consistency []byte

	Found []byte // the findings, as JSON; see [textOf]
}

// objective is an objective of a case.
type objective struct{ ID, Text string }

// Keep writes the case file of a run into the folder that [variable] names; if the variable is not set, it does
// nothing. The name of the file begins with the name of the run, with "_" for characters that file names can't have.
func Keep(run string, r *measure.Recording, c judge.Case, found *judge.Findings) error {
	dir := os.Getenv(variable)
	if dir == "" {
		return nil
	}
	f, err := newFile(r, c, found)
	if err == nil {
		err = f.write(dir, strings.NewReplacer("/", "_", " ", "_").Replace(run))
	}
	if err != nil {
		return fmt.Errorf("keeping the case of the run in %s: %w", dir, err)
	}
	return nil
}

func newFile(r *measure.Recording, c judge.Case, found *judge.Findings) (*file, error) {
	f := &file{
		Version: version, Config: r.Config, History: r.History, Marks: r.Marks, InFlight: r.InFlight, Case: c,
		Causes: map[scenarios.Cause]string{},
	}
	if r.Config.Freezes != nil {
		f.Freezes = r.Config.Freezes()
	}
	if r.Err != nil {
		f.Failed = r.Err.Error()
	}
	f.Config.File = nil
	for i := range c.SLO {
		f.Objectives = append(f.Objectives, objective{c.SLO[i].ID, c.SLO[i].Text})
	}
	f.Case.SLO, f.Case.Ledgers, f.Case.Usage, f.Case.Series, f.Case.Samples = nil, nil, nil, nil, nil
	f.Case.Consistency, f.Case.Links = nil, nil
	err := r.Cells(func(_ measure.Key, cell *measure.Cell) {
		for _, n := range cell.Causes {
			f.Causes[n.Cause] = c.Causes.Name(n.Cause)
		}
	})
	if err != nil {
		return nil, err
	}
	var cells bytes.Buffer
	if err := r.Write(&cells); err != nil {
		return nil, err
	}
	f.Cells = cells.Bytes()
	for _, part := range []struct {
		to   *[]byte
		from any
	}{
		{&f.Ledgers, c.Ledgers},
		{&f.Usage, c.Usage},
		{&f.Series, c.Series},
		{&f.Links, c.Links},
		{&f.Consistency, c.Consistency},
	} {
		b, err := json.Marshal(part.from)
		if err != nil {
			return nil, err
		}
		*part.to = b
	}
	text, err := textOf(found)
	f.Found = []byte(text)
	return f, err
}

func (f *file) write(dir, name string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	out, err := os.CreateTemp(dir, name+"-*.case")
	if err != nil {
		return err
	}
	z := gzip.NewWriter(out)
	return errors.Join(gob.NewEncoder(z).Encode(f), z.Close(), out.Close())
}

// said is a finding on a fault, with its notes in words.
type said struct {
	judge.FaultFinding
	Unsteady, Usual string
}

// textOf returns findings as indented JSON, without the data that a case file lacks. It adds notes in words, so that
// versions of the judge are compared by the text that a reader sees.
func textOf(found *judge.Findings) (string, error) {
	f := struct {
		judge.Findings
		Faults []said
	}{Findings: *found}
	f.Slowest, f.Histograms = nil, nil
	f.Errors = append([]result.ErrorGroup{}, f.Errors...)
	for i := range f.Errors {
		f.Errors[i].Sample = nil
	}
	for _, one := range found.Faults {
		f.Faults = append(f.Faults, said{one, one.Unsteady.Because.Phrase(nil), one.Usual.Phrase(nil)})
	}
	b, err := json.MarshalIndent(&f, "", " ")
	return string(b), err
}
