package reference

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// indexText is the index of the reference of this build. A test of cmd/brunt writes it.
//
//go:embed index.txt
var indexText string

// An index is the text of a finished reference, from which each entry is decoded when it is needed:
//
//	{"Text":"…"}            bodies, which entries share: one per line
//
//	chaos.network.latency	3	fault    paths in order, with the number of the body and the sort; no sort is key
type index struct {
	bodies []string
	lines  []string // of paths
}

// Read returns the reference of this build, from the sources that its lists need: Faults and ExitCodes.
func Read(from Sources) *Reference { return read(indexText, from) }

func read(text string, from Sources) *Reference {
	bodies, lines, _ := strings.Cut(text, "\n\n")
	r := &Reference{from: from, index: &index{
		bodies: strings.Split(bodies, "\n"), lines: strings.Split(strings.TrimSuffix(lines, "\n"), "\n"),
	}}
	for _, sort := range r.all() {
		if sort == "executor" {
			r.executors++
		}
	}
	return r
}

// Index returns the reference as the text of an index.
func (r *Reference) Index() ([]byte, error) {
	var bodies, lines bytes.Buffer
	known := map[string]int{}
	for path := range r.all() {
		e := *r.entry(path)
		if len(e.Texts) == 1 { // it is the Text
			e.Texts = nil
		}
		e.Keys = slices.Clone(e.Keys)
		for i, key := range e.Keys { // so that all faults share a body
			if below, ok := strings.CutPrefix(key, path); ok {
				e.Keys[i] = below
			}
		}
		body, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		n, ok := known[string(body)]
		if !ok {
			n = len(known)
			known[string(body)] = n
			bodies.Write(append(body, '\n'))
		}
		fmt.Fprintf(&lines, "%s\t%d", path, n)
		if e.Sort != "key" {
			lines.WriteString("\t" + e.Sort)
		}
		lines.WriteString("\n")
	}
	return slices.Concat(bodies.Bytes(), []byte("\n"), lines.Bytes()), nil
}

// fields returns the number of the body and the sort of a path's line.
func (x *index) fields(line int) (body, sort string) {
	_, rest, _ := strings.Cut(x.lines[line], "\t")
	body, sort, _ = strings.Cut(rest, "\t")
	return body, cmp.Or(sort, "key")
}

// entry decodes the entry of a path; nil: it has no entry.
func (x *index) entry(path string) *entry {
	i, ok := slices.BinarySearchFunc(x.lines, path, func(line, path string) int {
		at, _, _ := strings.Cut(line, "\t")
		return strings.Compare(at, path)
	})
	if !ok {
		return nil
	}
	number, sort := x.fields(i)
	n, err := strconv.Atoi(number)
	var e entry
	if err == nil {
		err = json.Unmarshal([]byte(x.bodies[n]), &e)
	}
	if err != nil { // a test compares the index with its reference
		panic(fmt.Sprintf("the index of the reference is broken at %s: %v", path, err))
	}
	e.Path, e.Sort = path, sort
	for i, key := range e.Keys {
		if strings.HasPrefix(key, ".") {
			e.Keys[i] = path + key
		}
	}
	return &e
}

// entry returns the entry of a path; nil: it has no entry.
func (r *Reference) entry(path string) *entry {
	if r.index != nil {
		return r.index.entry(path)
	}
	return r.entries[path]
}

// all yields the path and the sort of each entry, in the order of paths.
func (r *Reference) all() iter.Seq2[string, string] {
	return func(yield func(path, sort string) bool) {
		if r.index == nil {
			for _, path := range slices.Sorted(maps.Keys(r.entries)) {
				if !yield(path, r.entries[path].Sort) {
					return
				}
			}
			return
		}
		for i, line := range r.index.lines {
			path, _, _ := strings.Cut(line, "\t")
			if _, sort := r.index.fields(i); !yield(path, sort) {
				return
			}
		}
	}
}
