package mcp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/policies"
	"brunt/scenarios/syntax"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Options configure a server.
type Options struct {
	Self     []string           // the command line of brunt
	Version  string             // of brunt
	Folder   string             // the folder with the scenarios; the client reaches no file outside it
	Policies []*policies.Policy // the limits of all runs; at least one
	Commands bool               // scenarios may start the commands that the policies do not forbid
	NewID    func() string      // returns a new id of a run
}

// Server is a server of one client.
type Server struct {
	o      Options
	folder string // without symbolic links
	// heavy is held while a plan or a run is made; light bounds the other processes
	heavy, light chan struct{}
	calls        sync.WaitGroup // tools that are called
}

// resultsFolder holds the reports of runs, in the server's folder.
const resultsFolder = "brunt-results"

// New returns a server. It returns an error if the policies leave open what a client could do.
func New(o Options) (*Server, error) {
	if len(o.Policies) == 0 {
		return nil, scenarios.Usage(errors.New("an assistant runs scenarios within a policy: name its file by --policy; " +
			"`brunt explain policy` lists what it can say"))
	}
	if err := closed(o); err != nil {
		return nil, scenarios.Usage(err)
	}
	folder, err := filepath.EvalSymlinks(o.Folder)
	if err == nil {
		folder, err = filepath.Abs(folder)
	}
	if err != nil {
		return nil, scenarios.Usage(err)
	}
	return &Server{o: o, folder: folder, heavy: make(chan struct{}, 1), light: make(chan struct{}, 2)}, nil
}

// closed returns an error if no policy decides what a scenario may read, reach or start.
func closed(o Options) error {
	for _, rule := range []struct {
		key, such string
		limits    func(*policies.Policy) bool
	}{
		{
			"files", "files: [] lets a scenario read only its own folder",
			func(p *policies.Policy) bool { return p.Has("files") },
		},
		{
			"allow.load", "allow: {load: []} lets load reach only loopback",
			func(p *policies.Policy) bool { return p.Allow.Load != nil },
		},
		{
			"allow.chaos", "allow: {chaos: []} lets faults reach only loopback",
			func(p *policies.Policy) bool { return p.Allow.Chaos != nil },
		},
	} {
		if !slices.ContainsFunc(o.Policies, rule.limits) {
			return fmt.Errorf("%s: it has no %s, so that a scenario of the assistant would have no limit there; %s",
				o.Policies[0].File, rule.key, rule.such)
		}
	}
	forbids := func(p *policies.Policy) bool {
		_, yes := p.ForbidsCommands()
		return yes
	}
	if !o.Commands && !slices.ContainsFunc(o.Policies, forbids) {
		return fmt.Errorf("%s: it lets a scenario start commands, and so an assistant anything on this machine; add "+
			"forbid: [commands], or start the server with --commands if that is wanted", o.Policies[0].File)
	}
	return nil
}

// Serve serves a client until its input ends, or ctx does. Then it interrupts a run in progress, and waits until its
// faults are taken back.
func (s *Server) Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	server := mcp.NewServer(&mcp.Implementation{Name: "brunt", Title: "brunt", Version: s.o.Version},
		&mcp.ServerOptions{Instructions: instructions})
	for _, t := range s.tools() {
		t.add(server, s, ctx)
	}
	err := server.Run(ctx, &mcp.IOTransport{Reader: ending{in, cancel}, Writer: open{out}})
	cancel()
	s.calls.Wait()
	if errors.Is(err, context.Canceled) || errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// ending calls end when its reader ends: the library waits for the tools in progress first.
type ending struct {
	io.Reader
	end func()
}

func (e ending) Read(p []byte) (int, error) {
	n, err := e.Reader.Read(p)
	if err != nil {
		e.end()
	}
	return n, err
}

// Close does nothing: the input is the caller's.
func (ending) Close() error { return nil }

// open is a writer that stays open: the output is the caller's.
type open struct{ io.Writer }

// Close does nothing.
func (open) Close() error { return nil }

const instructions = `brunt puts load on a system, injects faults, and judges its service-level objectives. A scenario is a YAML file.
Write one by the JSON Schema of the tool schema and the words of explain; check it by validate, which names each mistake
with its place; see by plan what a run would do; then run it. The policy of this server limits what a scenario may do.`

// file returns the path of a scenario or a report that the client names, relative to the server's folder and without
// symbolic links. It lies in that folder.
func (s *Server) file(name string) (string, error) {
	path := filepath.FromSlash(name)
	if !filepath.IsAbs(path) {
		path = filepath.Join(s.folder, path)
	}
	refused := fmt.Errorf("%q is not below the folder of this server; name a path relative to it, such as checkout.yaml",
		syntax.Clip(name, 100))
	if name == "" || strings.ContainsRune(name, 0) || !s.below(path) {
		return "", refused
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", fmt.Errorf("%s: no such file below the folder of this server", syntax.Clip(name, 100))
	}
	if !s.below(real) {
		return "", refused
	}
	return filepath.Rel(s.folder, real)
}

func (s *Server) below(path string) bool {
	in, err := filepath.Rel(s.folder, path)
	return err == nil && filepath.IsLocal(in)
}

// unchanged returns an error if a policy is not what it was when the server began.
func (s *Server) unchanged() error {
	for _, p := range s.o.Policies {
		text, err := disk.Read(p.File, syntax.MaxFile)
		if err != nil {
			return fmt.Errorf("the policy can't be read any more: %w", disk.Named(err))
		}
		if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != p.Digest {
			return fmt.Errorf("%s has changed since the server was started: start it again", p.File)
		}
	}
	return nil
}

// settings returns the policies and the params as flags.
func (s *Server) settings(set map[string]string) (flags []string) {
	for _, p := range s.o.Policies {
		flags = append(flags, "--policy="+absolute(p.File))
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		flags = append(flags, "--set="+name+"="+set[name])
	}
	return flags
}

// results returns a new folder for the report of a run, relative to the server's folder.
func (s *Server) results() (string, error) {
	dir := filepath.Join(s.folder, resultsFolder)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	real, err := s.file(resultsFolder) // it may have been a symbolic link
	return filepath.Join(real, s.o.NewID()), err
}

// absolute returns the absolute path of a file that was opened by path. A process runs in another folder.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
