package casefile

import (
	"compress/gzip"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"brunt/scenarios/judge"
	"brunt/scenarios/measure"
	"brunt/scenarios/slo"
)

// read reads a case file.
func read(in io.Reader) (*file, error) {
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, err
	}
	f := &file{}
	if err := gob.NewDecoder(z).Decode(f); err != nil {
		return nil, err
	}
	if f.Version != version {
		return nil, fmt.Errorf("the case file has version %d, and this brunt reads version %d", f.Version, version)
	}
	return f, nil
}

// judge asks the judge of this brunt.
func (f *file) judge() (*judge.Findings, error) {
	r := &measure.Recording{History: f.History, Config: f.Config, Marks: f.Marks, InFlight: f.InFlight}
	if f.Freezes != nil {
		r.Config.Freezes = func() []measure.Freeze { return f.Freezes }
	}
	if f.Failed != "" {
		r.Err = errors.New(f.Failed)
	}
	r.Read(f.Cells)
	c := f.Case
	for _, kept := range f.Objectives {
		o, err := slo.ParseObjective(kept.Text)
		if err != nil {
			return nil, err
		}
		o.ID = kept.ID
		c.SLO = append(c.SLO, o)
	}
	for i := range c.Causes.Families {
		family := &c.Causes.Families[i]
		family.Name = func(number int32) string { return f.Causes[family.Cause(number)] }
	}
	for _, part := range []struct {
		from []byte
		to   any
	}{
		{f.Ledgers, &c.Ledgers},
		{f.Usage, &c.Usage},
		{f.Series, &c.Series},
		{f.Links, &c.Links},
		{f.Consistency, &c.Consistency},
	} {
		if part.from == nil { // an older version did not have it
			continue
		}
		if err := json.Unmarshal(part.from, part.to); err != nil {
			return nil, err
		}
	}
	return judge.Judge(r, c)
}

// differences lists where the judge of this brunt finds something else than the file has, each with the path of the
// value, such as `.Objectives[2].verdict: "pass", now "fail"`. Keys that only the new findings have do not count.
func (f *file) differences() ([]string, error) {
	found, err := f.judge()
	if err != nil {
		return nil, err
	}
	text, err := textOf(found)
	if err != nil {
		return nil, err
	}
	var was, is any
	if err := json.Unmarshal(f.Found, &was); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(text), &is); err != nil {
		return nil, err
	}
	return compared("", was, is, nil), nil
}

// compared adds where a value differs from what it was.
func compared(path string, was, is any, out []string) []string {
	switch was := was.(type) {
	case map[string]any:
		is, ok := is.(map[string]any)
		if !ok {
			break
		}
		for _, key := range slices.Sorted(maps.Keys(was)) {
			out = compared(path+"."+key, was[key], is[key], out)
		}
		return out
	case []any:
		is, ok := is.([]any)
		if !ok || len(was) != len(is) {
			break
		}
		for i := range was {
			out = compared(fmt.Sprintf("%s[%d]", path, i), was[i], is[i], out)
		}
		return out
	default:
		if was == is {
			return out
		}
	}
	return append(out, fmt.Sprintf("%s: %s, now %s", path, short(was), short(is)))
}

// short is a value as JSON, cut to a length that a line has room for.
func short(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	const most = 160
	if len(b) > most {
		return string(b[:most]) + "…"
	}
	return string(b)
}
