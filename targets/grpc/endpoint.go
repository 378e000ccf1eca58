package grpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"

	"brunt/scenarios/syntax"
	"brunt/targets"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
)

// endpoint is the YAML of an endpoint besides its url.
type endpoint struct {
	syntax.Place
	// .proto files of its services, beside the scenario; default: brunt asks the server by reflection
	Protos []string `yaml:"protos"`
	// folders of the files that `protos` import; zero is the folders of the files in `protos`
	ImportPaths []string `yaml:"import_paths"`
	// a set of descriptors, made by protoc --include_imports --descriptor_set_out; in place of protos
	Protoset string `yaml:"protoset"`
}

// maxProto is the maximum size of a file that describes services, in bytes.
const maxProto = 32 << 20

// files are the services in the files of an endpoint.
type files struct {
	registry  *registry // nil: the files have a mistake
	arguments []string  // arguments for grpcurl
}

// cache holds the files of endpoints, which steps share.
type cache struct {
	mu sync.Mutex
	of map[*syntax.Node]*files
}

// filesOf returns the services in the files of the step's endpoint. It is nil if the endpoint names no files. It
// notes mistakes in m, once for each endpoint.
func filesOf(in targets.Scope, m *syntax.Mistakes) *files {
	n := in.EndpointSettings()
	if n == nil || in.File == nil {
		return nil
	}
	c := targets.Share[cache](in.Shared)
	c.mu.Lock()
	defer c.mu.Unlock()
	if f, known := c.of[n]; known {
		return f
	}
	f := readFiles(n, in, m)
	if c.of == nil {
		c.of = map[*syntax.Node]*files{}
	}
	c.of[n] = f
	return f
}

// readFiles reads the files that the settings n of an endpoint name.
func readFiles(n *syntax.Node, in targets.Scope, m *syntax.Mistakes) *files {
	var e endpoint
	syntax.Decode(n, &e, new(syntax.Mistakes)) // the plan reports mistakes in the settings
	switch {
	case len(e.Protos) > 0 && e.Protoset != "":
		m.Add(e.Of("protoset"), "an endpoint has protos or a protoset")
	case e.Protoset != "":
		f := &files{arguments: []string{"-protoset", e.Protoset}}
		b, err := in.File(e.Of("protoset"), e.Protoset, maxProto)
		if err == nil {
			f.registry, err = parseSet(b, e.Protoset)
		}
		if err != nil {
			m.Add(e.Of("protoset"), "protoset: %v", err)
		}
		return f
	case len(e.Protos) > 0:
		p := protos{endpoint: &e, in: in}
		return p.read(m)
	case len(e.ImportPaths) > 0:
		m.Add(e.Of("import_paths"), "import_paths belong to protos, and the endpoint has no protos")
	}
	return nil
}

// parseSet parses a set of descriptors.
func parseSet(b []byte, name string) (*registry, error) {
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(b, &set); err != nil {
		return nil, fmt.Errorf("%s is not a set of descriptors: `protoc --include_imports --descriptor_set_out=%s` writes "+
			"one", name, path.Base(name))
	}
	all, err := protodesc.NewFiles(&set)
	if err != nil {
		return nil, fmt.Errorf("%w; `protoc --include_imports` writes a whole one", err)
	}
	r := newRegistry(name)
	r.addFiles(all)
	return r, nil
}

// protos are the .proto files of an endpoint.
type protos struct {
	*endpoint
	in   targets.Scope
	mu   sync.Mutex
	from []string // folders of imports
}

// read compiles the files.
func (p *protos) read(m *syntax.Mistakes) *files {
	f, names := new(files), make([]string, len(p.Protos))
	p.from = p.ImportPaths
	for i, name := range p.Protos {
		dir, base := path.Split(name)
		if len(p.ImportPaths) == 0 {
			p.from, names[i] = append(p.from, path.Clean(dir)), base
		} else {
			names[i] = p.under(name)
		}
		f.arguments = append(f.arguments, "-proto", names[i])
	}
	for _, dir := range p.from {
		f.arguments = append([]string{"-import-path", dir}, f.arguments...)
	}
	compiler := protocompile.Compiler{
		Resolver: protocompile.WithStandardImports(protocompile.ResolverFunc(p.find)), MaxParallelism: 1,
	}
	linked, err := compiler.Compile(context.Background(), names...)
	if err != nil {
		m.Add(p.Of("protos"), "protos: %v", err)
		return f
	}
	r := newRegistry(strings.Join(p.Protos, ", "))
	for _, one := range linked {
		r.add(one)
	}
	f.registry = r
	return f
}

// under returns the name under which imports refer to a file: without the import path that contains it.
func (p *protos) under(name string) string {
	for _, dir := range p.ImportPaths {
		if rest, ok := strings.CutPrefix(path.Clean(name), path.Clean(dir)+"/"); ok {
			return rest
		}
	}
	return name
}

func (p *protos) find(name string) (protocompile.SearchResult, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, dir := range p.from {
		b, err := p.in.File(p.Of("protos"), path.Join(dir, name), maxProto)
		switch {
		case err == nil:
			return protocompile.SearchResult{Source: bytes.NewReader(b)}, nil
		case !errors.Is(err, fs.ErrNotExist):
			return protocompile.SearchResult{}, err
		}
	}
	return protocompile.SearchResult{}, fmt.Errorf("there is no file %s in %s", name, strings.Join(p.from, ", "))
}
