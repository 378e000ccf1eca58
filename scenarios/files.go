package scenarios

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"brunt/scenarios/disk"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// files reads a scenario and the files it names.
type files struct {
	o        Options
	m        *syntax.Mistakes
	secrets  *template.Secrets
	main     string
	texts    map[string]bool   // paths of scenario files: the main one and those it extends
	nodes    int               // number of values in all files
	declared []string          // names of its parameters, in their order
	whole    map[string][]byte // contents of files that requests send, by path
	mu       sync.Mutex
	read     []File // every file, once; guarded by mu, because logs are read during the load
}

// A File is the scenario file, or a file that it names.
type File struct {
	Path string
	Sum  [sha256.Size]byte // SHA-256 of the content
}

// Files lists the files read so far. Files that steps name are read when the steps are compiled.
func (s *Scenario) Files() []File {
	if s.Origin.files == nil { // the scenario was not parsed
		return nil
	}
	s.Origin.files.mu.Lock()
	defer s.Origin.files.mu.Unlock()
	return slices.Clone(s.Origin.files.read)
}

// readFile reads a file of at most most bytes; a longer file is an error.
func (p *files) readFile(path string, most int) ([]byte, error) {
	b, err := p.readAtMost(path, most)
	if err != nil {
		return nil, disk.Named(err)
	}
	if len(b) > most { // only p.o.Read can return more
		return nil, fmt.Errorf("%s has more than %d KiB", path, most>>10)
	}
	p.note(path, sha256.Sum256(b))
	return b, nil
}

func (p *files) readAtMost(path string, most int) ([]byte, error) {
	if err := p.permitted(path); err != nil {
		return nil, err
	}
	if p.o.Read != nil {
		return p.o.Read(path)
	}
	if path == p.main { // the command line names it
		return disk.ReadGiven(path, int64(most))
	}
	return disk.Read(path, int64(most))
}

const maxExtends = 8

// load reads a file and merges it over the one it extends; from lists the files that led to it. It returns nil when
// nothing can be checked further. If the file below can't be read, it returns the file alone, and the mistakes become
// partial.
func (p *files) load(path string, text []byte, from []string) *syntax.Node {
	n := syntax.Read(path, text, p.m, &p.nodes)
	if n == nil {
		return nil
	}
	p.texts[path] = true
	if n.Kind != syntax.Map {
		if !n.Bad {
			p.m.AddHint(n.Pos, "`brunt init` writes one to start from", "a scenario is a map of keys, not %s", n.Describe())
		}
		return nil
	}
	ext := n.Get("extends")
	if ext == nil {
		p.m.Partial = p.m.Partial || len(from) == 0 && misspelt(n, "extends")
	} else {
		n = n.Without(func(k string) bool { return k == "extends" })
		if under := p.below(ext, append(slices.Clone(from), path)); under != nil {
			n = Overlay(under, n)
		} else {
			p.m.Partial = true
		}
	}
	if p.m.Partial {
		return written(n)
	}
	return n
}

// below reads the file that an `extends` names. The last file of the chain has it. It returns nil if the file can't be
// read.
func (p *files) below(ext *syntax.Node, chain []string) *syntax.Node {
	name, ok := ext.Text(p.m)
	if !ok {
		return nil
	}
	base := p.beside(ext.Pos, name)
	switch {
	case strings.Contains(name, "${"):
		p.m.Add(ext.Pos, "extends is read before params are known; it holds no placeholder")
		return nil
	case slices.ContainsFunc(chain, func(f string) bool { return filepath.Clean(f) == filepath.Clean(base) }):
		p.m.Add(ext.Pos, "extends goes in a circle: %s", strings.Join(append(chain, base), " -> "))
		return nil
	case len(chain) > maxExtends:
		p.m.Add(ext.Pos, "extends goes deeper than %d files", maxExtends)
		return nil
	}
	b, err := p.readFile(base, syntax.MaxFile)
	if err != nil {
		p.m.AddHint(ext.Pos, p.nearFile(base, name, err), "extends: %v", err)
		return nil
	}
	return p.load(base, b, chain)
}

// nearFile suggests the scenario of the author's folder that an `extends` means; empty if no file has a name like
// it.
func (p *files) nearFile(path, name string, err error) string {
	if !errors.Is(err, fs.ErrNotExist) || p.o.Read != nil || !p.inside(filepath.Dir(path)) {
		return ""
	}
	entries, _ := os.ReadDir(filepath.Dir(path))
	var names []string
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); (ext == ".yaml" || ext == ".yml") && e.Name() != filepath.Base(p.main) {
			names = append(names, e.Name())
		}
	}
	near := syntax.Nearest(filepath.Base(path), names)
	if near == "" {
		return ""
	}
	return syntax.Suggestion(strings.TrimSuffix(name, filepath.Base(path)) + near)
}

// written returns a map without the keys that are null: in a file that extends another these remove keys.
func written(n *syntax.Node) *syntax.Node {
	if n.Kind != syntax.Map {
		return n
	}
	out := *n
	out.Fields = nil
	for _, f := range n.Fields {
		if f.Value.Kind != syntax.Null || f.Value.Bad {
			out.Fields = append(out.Fields, syntax.Field{Key: f.Key, Pos: f.Pos, Value: written(f.Value)})
		}
	}
	return &out
}

// Overlay merges top over base: maps are merged key by key, everything else is replaced. A key
// that is null in top removes that key of base.
func Overlay(base, top *syntax.Node) *syntax.Node {
	if base.Kind != syntax.Map || top.Kind != syntax.Map {
		return top
	}
	out := *base
	out.Pos = top.Pos
	out.Fields, out.Twice = slices.Clone(base.Fields), slices.Concat(base.Twice, top.Twice)
	for _, f := range top.Fields {
		i := slices.IndexFunc(out.Fields, func(b syntax.Field) bool { return b.Key == f.Key })
		switch {
		case i < 0:
			out.Fields = append(out.Fields, f)
		case f.Value.Kind == syntax.Null && !f.Value.Bad:
			out.Fields = slices.Delete(out.Fields, i, i+1)
		default:
			out.Fields[i] = syntax.Field{Key: f.Key, Pos: f.Pos, Value: Overlay(out.Fields[i].Value, f.Value)}
		}
	}
	return &out
}

// beside resolves a path written at from. A relative path is relative to the file that contains
// it, or to the scenario when it comes from the command line.
func (p *files) beside(from syntax.Pos, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	file := p.main
	if p.texts[from.File] {
		file = from.File
	}
	return filepath.Join(filepath.Dir(file), filepath.FromSlash(name))
}

// permitted returns an error if the scenario may not read the file at path. It may read files in its own folder.
func (p *files) permitted(path string) error {
	if p.o.CheckFile == nil || path == p.main || p.inside(path) {
		return nil
	}
	return p.o.CheckFile(Followed(path))
}

// inside reports whether a file lies in the scenario's folder, after symbolic links are resolved.
func (p *files) inside(path string) bool { return InFolders(path, []string{p.folder()}) }

// folder is the scenario's folder.
func (p *files) folder() string { return cmp.Or(p.o.Folder, filepath.Dir(p.main)) }

// Folder returns the folder from which a scenario may always read files; empty if it was not read from a file.
func (s *Scenario) Folder() string {
	if s.Origin.files == nil {
		return ""
	}
	return Followed(s.Origin.files.folder())
}

// InFolders reports whether a file lies in one of the folders, after symbolic links are resolved.
func InFolders(path string, folders []string) bool {
	path = Followed(path)
	return slices.ContainsFunc(folders, func(folder string) bool {
		in, err := filepath.Rel(Followed(folder), path)
		return err == nil && filepath.IsLocal(in)
	})
}

// secret returns a reference to the named file as a secret if the file lies outside the scenario's folder. The author
// of a scenario can name such a file without being able to read it.
func (p *files) secret(at syntax.Pos, name string) []template.SecretRef {
	if p.inside(p.beside(at, name)) {
		return nil
	}
	return []template.SecretRef{{What: fmt.Sprintf("the file %s, which is outside the scenario's folder,", name), At: at}}
}

// Followed returns the absolute path with symbolic links resolved, or with links where the path does not exist.
func Followed(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if end, err := filepath.EvalSymlinks(path); err == nil {
		return end
	}
	return path
}

// Open opens the file name written at a place of the scenario, relative to the file that contains it. It is for
// streaming files of any size. [Scenario.Files] lists the file once it was read to its end.
func (s *Scenario) Open(at syntax.Pos, name string) (io.ReadCloser, error) {
	path := s.Origin.files.beside(at, name)
	if err := s.Origin.files.permitted(path); err != nil {
		return nil, err
	}
	if s.Origin.files.o.Read != nil {
		b, err := s.Origin.files.o.Read(path)
		if err != nil {
			return nil, disk.Named(err)
		}
		return &summed{r: io.NopCloser(bytes.NewReader(b)), sum: sha256.New(), path: path, files: s.Origin.files}, nil
	}
	f, err := disk.Open(path)
	if err != nil {
		return nil, disk.Named(err)
	}
	return &summed{r: f, sum: sha256.New(), path: path, files: s.Origin.files}, nil
}

// summed is a reader that records the checksum of a file once it was read to its end.
type summed struct {
	r     io.ReadCloser
	sum   hash.Hash
	path  string
	files *files
}

func (s *summed) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	_, _ = s.sum.Write(b[:n])
	if errors.Is(err, io.EOF) {
		s.files.note(s.path, [sha256.Size]byte(s.sum.Sum(nil)))
	}
	return n, err
}

func (s *summed) Close() error { return s.r.Close() }

// note records that a file was read.
func (p *files) note(path string, sum [sha256.Size]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.ContainsFunc(p.read, func(f File) bool { return f.Path == path }) {
		p.read = append(p.read, File{path, sum})
	}
}

// Read reads the file name written at a place of the scenario, relative to the file that contains
// it. It is for files that requests send, of at most most bytes. Reading the same file again
// returns the same bytes.
func (s *Scenario) Read(at syntax.Pos, name string, most int) ([]byte, error) {
	path := s.Origin.files.beside(at, name)
	if b, ok := s.Origin.files.whole[path]; ok && len(b) <= most {
		return b, nil
	}
	b, err := s.Origin.files.readFile(path, most)
	if err != nil {
		return nil, err
	}
	s.SecretRefs = append(s.SecretRefs, s.Origin.files.secret(at, name)...)
	if s.Origin.files.whole == nil {
		s.Origin.files.whole = map[string][]byte{}
	}
	s.Origin.files.whole[path] = b
	return b, nil
}
