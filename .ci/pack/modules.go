package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// A module is a module that a program is made of.
type module struct{ path, version, dir string }

// modules lists the modules of a program from what the linker has written into it. The one that is replaced by a folder
// is brunt, of which brunt-k6 is built; it has no version here.
func modules(p program) []*debug.Module {
	var out []*debug.Module
	for _, m := range p.build.Deps {
		switch {
		case m.Replace != nil && strings.HasPrefix(m.Replace.Path, "."):
			m = &debug.Module{Path: m.Path}
		case m.Replace != nil:
			m = m.Replace
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b *debug.Module) int { return cmp.Compare(a.Path, b.Path) })
	return out
}

// moduleFolders lists the modules of a program, besides brunt, with the folder of each in the cache of modules.
func moduleFolders(p program) ([]module, error) {
	all := slices.DeleteFunc(modules(p), func(m *debug.Module) bool { return m.Version == "" })
	if len(all) == 0 {
		return nil, nil
	}
	args := []string{"mod", "download", "-json"}
	for _, m := range all {
		args = append(args, m.Path+"@"+m.Version)
	}
	c := exec.Command("go", args...)
	c.Dir, c.Stderr = os.TempDir(), os.Stderr // outside of any module
	text, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("go mod download: %w", err)
	}
	var out []module
	for dec := json.NewDecoder(strings.NewReader(string(text))); dec.More(); {
		var m struct{ Path, Version, Dir string }
		if err := dec.Decode(&m); err != nil {
			return nil, err
		}
		out = append(out, module{m.Path, m.Version, m.Dir})
	}
	slices.SortFunc(out, func(a, b module) int { return cmp.Compare(a.path, b.path) })
	return out, nil
}

// bill writes the bill of materials of a program, as CycloneDX.
func (r *release) bill(p program) error {
	component := func(kind cdx.ComponentType, path, version string) cdx.Component {
		at := fmt.Sprintf("pkg:golang/%s@%s", path, version)
		return cdx.Component{BOMRef: at, Type: kind, Name: path, Version: version, PackageURL: at}
	}
	licence := "Apache-2.0"
	if p.name == "brunt-k6" {
		licence = "AGPL-3.0-only"
	}
	main := component(cdx.ComponentTypeApplication, p.build.Path, r.version)
	main.Name = p.name
	main.Licenses = &cdx.Licenses{{License: &cdx.License{ID: licence}}}
	var settings []cdx.Property
	for _, s := range p.build.Settings {
		settings = append(settings, cdx.Property{Name: "build:" + s.Key, Value: s.Value})
	}
	main.Properties = &settings
	parts := []cdx.Component{component(cdx.ComponentTypeLibrary, "std", p.build.GoVersion)}
	for _, m := range modules(p) {
		c := component(cdx.ComponentTypeLibrary, m.Path, cmp.Or(m.Version, r.version))
		if m.Sum != "" {
			c.Properties = &[]cdx.Property{{Name: "go.sum", Value: m.Sum}}
		}
		parts = append(parts, c)
	}
	var needs []string
	for _, c := range parts {
		needs = append(needs, c.BOMRef)
	}
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Timestamp: r.time.Format("2006-01-02T15:04:05Z"), Component: &main}
	bom.Components = &parts
	bom.Dependencies = &[]cdx.Dependency{{Ref: main.BOMRef, Dependencies: &needs}}
	var out strings.Builder
	if err := cdx.NewBOMEncoder(&out, cdx.BOMFileFormatJSON).SetPretty(true).Encode(bom); err != nil {
		return err
	}
	return r.write(p.release(r.version)+".cdx.json", []byte(out.String()))
}
