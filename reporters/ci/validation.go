package ci

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios/syntax"
)

// A Validation is what `brunt validate` finds in a file.
type Validation struct {
	File     string    `json:"file"`
	Valid    bool      `json:"valid"`
	Says     []string  `json:"says,omitempty"`     // what the load can show; what a drill needs
	Notes    []string  `json:"notes,omitempty"`    // advice
	Mistakes []Mistake `json:"mistakes,omitempty"` // of the file, and of those that it extends
	More     int       `json:"more,omitempty"`     // further mistakes, which are not listed
}

// A Mistake is a mistake at a place of a file. Line and Column count from 1; 0 stands for the file as a whole.
type Mistake struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"` // in characters
	What   string `json:"what"`
	Hint   string `json:"hint,omitempty"` // how to mend it
}

// NewMistakes returns the mistakes of an error, at the place where each stands. A mistake outside any file is one of
// the file that was validated.
func NewMistakes(file string, e *syntax.MistakesError) []Mistake {
	var all []Mistake
	for _, m := range e.List() {
		one := Mistake{File: m.Pos.File, What: m.What, Hint: m.Hint}
		if given := strings.HasPrefix(one.File, "--"); given { // by a flag, which is no file of the repository
			one.File, one.What = file, one.File+": "+one.What
		} else if one.File == "" {
			one.File = file
		}
		if m.Pos.Line > 0 {
			one.Line, one.Column = m.Pos.Line, m.Pos.Col
		}
		all = append(all, one)
	}
	return all
}

// text returns the mistake in words, without its place.
func (m *Mistake) text() string {
	if m.Hint == "" {
		return m.What
	}
	return m.What + "; " + m.Hint
}

// ValidationFormats are the formats in which validations are written for other programs, by name.
var ValidationFormats = map[string]func(w io.Writer, version string, all []Validation) error{
	"json":   validationsJSON,
	"github": validationsGitHub,
	"sarif":  validationsSARIF,
}

func validationsJSON(w io.Writer, _ string, all []Validation) error {
	return indented(w, map[string]any{"files": all})
}

func indented(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// distinct lists the mistakes of several files. A mistake in a file that two others extend is listed once.
func distinct(all []Validation) (out []Mistake) {
	seen := map[Mistake]bool{}
	for i := range all {
		for _, m := range all[i].Mistakes {
			if !seen[m] {
				seen[m] = true
				out = append(out, m)
			}
		}
	}
	return out
}

func validationsGitHub(w io.Writer, _ string, all []Validation) error {
	if err := AnnotateMistakes(w, distinct(all)); err != nil {
		return err
	}
	for i := range all {
		v := &all[i]
		if v.More > 0 {
			if err := annotate(w, "error", place{File: v.File}, v.File, fmt.Sprintf("and %d more", v.More)); err != nil {
				return err
			}
		}
		for _, n := range v.Notes {
			if err := annotate(w, "notice", place{File: v.File}, v.File, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// AnnotateMistakes writes mistakes as workflow commands of GitHub Actions, which shows each at its line.
func AnnotateMistakes(w io.Writer, all []Mistake) error {
	for i := range all {
		m := &all[i]
		if err := annotate(w, "error", place{m.File, m.Line, m.Column}, m.File, m.text()); err != nil {
			return err
		}
	}
	return nil
}

// The parts of SARIF 2.1.0 that name a mistake and its place.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string    `json:"id"`
		ShortDescription sarifText `json:"shortDescription"`
		Help             sarifText `json:"help"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		PhysicalLocation sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		ArtifactLocation sarifArtifact `json:"artifactLocation"`
		Region           *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
	}
)

// The rules of SARIF that a result names.
const (
	ruleMistake = "mistake"
	ruleNote    = "note"
)

// validationsSARIF writes the mistakes in the format that code scanning of GitHub, GitLab and editors read.
func validationsSARIF(w io.Writer, version string, all []Validation) error {
	results := []sarifResult{} // an empty list is required where nothing was found
	for _, m := range distinct(all) {
		results = append(results, sarifAt(ruleMistake, "error", m.text(), place{m.File, m.Line, m.Column}))
	}
	for i := range all {
		v := &all[i]
		if v.More > 0 {
			results = append(results, sarifAt(ruleMistake, "error", fmt.Sprintf("and %d more", v.More), place{File: v.File}))
		}
		for _, n := range v.Notes {
			results = append(results, sarifAt(ruleNote, "note", n, place{File: v.File}))
		}
	}
	return indented(w, sarifLog{
		Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0",
		Runs: []sarifRun{{
			Tool: sarifTool{sarifDriver{Name: "brunt", Version: version, Rules: []sarifRule{
				{ruleMistake, sarifText{"A scenario can't run as it stands"}, sarifText{"`brunt explain KEY` explains each key."}},
				{ruleNote, sarifText{"Advice on a scenario that can run"}, sarifText{"`brunt explain KEY` explains each key."}},
			}}},
			ColumnKind: "unicodeCodePoints", Results: results,
		}},
	})
}

func sarifAt(rule, level, text string, at place) sarifResult {
	where := sarifPhysical{ArtifactLocation: sarifArtifact{fileURI(at.File)}}
	if at.Line > 0 {
		where.Region = &sarifRegion{at.Line, at.Column}
	}
	return sarifResult{rule, level, sarifText{words.Clean(text)}, []sarifLocation{{where}}}
}

// fileURI returns the URI of a file: relative if the path is.
func fileURI(path string) string {
	u := url.URL{Path: filepath.ToSlash(path)}
	if filepath.IsAbs(path) {
		u.Scheme = "file"
		if u.Path[0] != '/' { // C:/
			u.Path = "/" + u.Path
		}
	}
	return u.String()
}
