package drills

import (
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"brunt/scenarios/disk"
	"brunt/scenarios/syntax"
)

//go:embed library/*.yaml
var library embed.FS

// families are the families of the library's drills, in the order of lists.
var families = []string{"redundancy", "dependency", "cache", "data", "resource", "load", "security", "watching"}

// Library lists the drills that are part of brunt, by family and name.
func Library() ([]*Drill, error) {
	files, err := library.ReadDir("library")
	if err != nil {
		return nil, err
	}
	var out []*Drill
	for _, f := range files {
		name := strings.TrimSuffix(f.Name(), ".yaml")
		d, err := builtin(name, nil)
		if err != nil {
			return nil, fmt.Errorf("drill %s: %w", name, err)
		}
		out = append(out, d)
	}
	slices.SortStableFunc(out, func(a, b *Drill) int {
		return slices.Index(families, a.Family) - slices.Index(families,
			b.Family)
	})
	return out, nil
}

// HarmlessFirst sorts drills by how much harm they can do: drills that break nothing come first, and drills that may
// lose data come last.
func HarmlessFirst(list []*Drill) []*Drill {
	order := []string{"load", "security", "cache", "dependency", "watching", "resource", "redundancy", "data"}
	return slices.SortedStableFunc(slices.Values(list),
		func(a, b *Drill) int { return slices.Index(order, a.Family) - slices.Index(order, b.Family) })
}

// Names lists the names of the library's drills.
func Names() []string {
	files, _ := library.ReadDir("library")
	var out []string
	for _, f := range files {
		out = append(out, strings.TrimSuffix(f.Name(), ".yaml"))
	}
	return out
}

// Sweeps lists the drills of a sweep, which can hit any part of a system. They have no proof, because their result
// depends on how much the system needs that part.
func Sweeps() ([]*Drill, error) {
	var out []*Drill
	for _, name := range slices.Sorted(maps.Values(sweepOf)) {
		d, err := builtin(name, nil)
		if err != nil {
			return nil, fmt.Errorf("drill %s: %w", name, err)
		}
		out = append(out, d)
	}
	return out, nil
}

func builtin(name string, set map[string]string) (*Drill, error) {
	file, files := "library/"+name+".yaml", library
	if swept(name) {
		file, files = SweepFamily+"/"+name+".yaml", sweeps
	}
	text, err := files.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return Parse(file, text, set)
}

// Find returns the drill of the library with a name, or the drill in a file. Set overrides its params.
func Find(name string, set map[string]string) (*Drill, error) {
	switch {
	case slices.Contains(Names(), name) || swept(name):
		return builtin(name, set)
	case strings.ContainsAny(name, "/\\.") && name != "":
		return read(name, set)
	}
	hint := syntax.DidYouMean(name, slices.Concat(Names(), slices.Collect(maps.Values(sweepOf))))
	if hint != "" {
		hint += "; "
	}
	return nil, fmt.Errorf("there is no drill %q; %s`brunt drill list` shows all, and a file of your own is named "+
		"with its path", syntax.Clip(name, 40), hint)
}

// IsDrill reports whether a file holds a drill, which is a map with a key that only drills have.
func IsDrill(file string) bool {
	text, err := disk.Read(file, syntax.MaxFile)
	return err == nil && HoldsDrill(file, text)
}

// HoldsDrill is [IsDrill] for the text of a file.
func HoldsDrill(file string, text []byte) bool {
	nodes := 0
	root := syntax.Read(file, text, &syntax.Mistakes{}, &nodes)
	return root != nil && root.Kind == syntax.Map && root.Get("drill") != nil
}

// Named returns the name that makes [Find] open a file.
func Named(file string) string {
	if strings.ContainsAny(file, "/\\.") {
		return file
	}
	return "./" + file
}

// swept reports whether a drill is one of a sweep.
func swept(name string) bool { return slices.Contains(slices.Collect(maps.Values(sweepOf)), name) }

// A Waiting is a failure that no drill of the library tries yet.
type Waiting struct {
	Row   int    `json:"row"`   // in the design
	Name  string `json:"name"`  // of the future drill
	About string `json:"about"` // the failure, in words
	Waits string `json:"waits"` // the reason why there is no drill yet, in words
}

//go:embed waiting.json
var waiting []byte

// Missing returns the failures that no drill of the library tries yet, in the order of the design.
func Missing() ([]Waiting, error) {
	var out []Waiting
	err := json.Unmarshal(waiting, &out)
	return out, err
}

//go:embed demo.yaml
var demo string

// Demo is the scenario of the built-in system on which drills are proved.
func Demo() string { return demo }
