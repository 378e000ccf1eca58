package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"brunt/scenarios/disk"
	"brunt/scenarios/edit/reference"
	"brunt/scenarios/syntax"

	"github.com/sourcegraph/jsonrpc2"
)

// Options are the inputs of a server.
type Options struct {
	// Check compiles the scenario at path and returns notes about it. The error for a scenario with mistakes is a
	// [syntax.MistakesError]. Check reads all files of the scenario with read.
	Check     func(path string, read func(string) ([]byte, error)) (notes []string, err error)
	Reference *reference.Reference
	Stacks    map[string][]string // the services of the built-in stacks
	Pause     time.Duration       // time without a change before a text is checked; zero checks at once
}

// errNoShutdown means that the editor ended the server without a shutdown request. The protocol wants exit code 1 for
// that.
var errNoShutdown = errors.New("the editor ended the server without a shutdown")

// Serve speaks the protocol over a stream until the editor ends it or closes the stream. It returns an error if the
// editor ended it without a shutdown request.
func Serve(ctx context.Context, stream io.ReadWriteCloser, o Options) error {
	s := &server{
		o: o, keys: map[string]bool{drill: true}, open: map[string]*document{}, edited: make(chan struct{}, 1),
		ended: make(chan struct{}),
	}
	top, _ := o.Reference.Outline(nil)
	for _, k := range top.Keys {
		s.keys[k.Name] = true
	}
	conn := jsonrpc2.NewConn(ctx, jsonrpc2.NewBufferedStream(stream, jsonrpc2.VSCodeObjectCodec{}),
		jsonrpc2.HandlerWithError(s.handle))
	watched, stop := context.WithCancel(ctx)
	var checks sync.WaitGroup
	checks.Go(func() { s.checks(watched, conn) })
	select {
	case <-conn.DisconnectNotify():
	case <-s.ended:
		_ = conn.Close()
	case <-ctx.Done():
		_ = conn.Close()
	}
	stop()
	checks.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.exited && !s.shut {
		return errNoShutdown
	}
	return nil
}

type server struct {
	o      Options
	keys   map[string]bool // keys of the top level of a scenario, and that of a drill
	edited chan struct{}   // receives a value when a document was changed
	ended  chan struct{}

	mu     sync.Mutex
	open   map[string]*document // by URI
	shown  []string             // URIs with diagnostics now
	shut   bool
	exited bool
}

// handle answers one message. It is not called concurrently.
func (s *server) handle(_ context.Context, _ *jsonrpc2.Conn, r *jsonrpc2.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut && r.Method != "exit" {
		return nil, &jsonrpc2.Error{Code: jsonrpc2.CodeInvalidRequest, Message: "the server is shut down"}
	}
	switch r.Method {
	case "initialize":
		return abilities, nil
	case "shutdown":
		s.shut = true
		return nil, nil
	case "exit":
		if !s.exited {
			s.exited = true
			close(s.ended)
		}
		return nil, nil
	case "textDocument/didOpen", "textDocument/didChange", "textDocument/didClose", "textDocument/didSave":
		return nil, s.changed(r)
	case "textDocument/completion":
		return at(s, r, s.complete)
	case "textDocument/hover":
		return at(s, r, s.hover)
	case "textDocument/codeAction":
		return s.actions(r)
	}
	if r.Notif { // such as initialized and $/cancelRequest
		return nil, nil
	}
	return nil, &jsonrpc2.Error{Code: jsonrpc2.CodeMethodNotFound, Message: r.Method + " is not supported"}
}

// at answers a question about a position in a document.
func at[T any](s *server, r *jsonrpc2.Request, answer func(*document, position) T) (any, error) {
	p, err := params[placeParams](r)
	if err != nil {
		return nil, err
	}
	d := s.open[p.TextDocument.URI]
	if d == nil {
		return nil, nil
	}
	return answer(d, p.Position), nil
}

func params[T any](r *jsonrpc2.Request) (out T, err error) {
	if r.Params == nil {
		return out, &jsonrpc2.Error{Code: jsonrpc2.CodeInvalidParams, Message: r.Method + " has no params"}
	}
	if err := json.Unmarshal(*r.Params, &out); err != nil {
		return out, &jsonrpc2.Error{Code: jsonrpc2.CodeInvalidParams, Message: err.Error()}
	}
	return out, nil
}

// changed applies a change of a document by the editor, and schedules a check.
func (s *server) changed(r *jsonrpc2.Request) error {
	switch r.Method {
	case "textDocument/didOpen":
		p, err := params[openParams](r)
		if err != nil {
			return err
		}
		id := p.TextDocument.documentID
		s.open[id.URI] = &document{uri: id.URI, path: fileOf(id.URI), version: id.Version, text: p.TextDocument.Text}
	case "textDocument/didChange":
		p, err := params[changeParams](r)
		if err != nil {
			return err
		}
		if d := s.open[p.TextDocument.URI]; d != nil {
			for _, one := range p.Changes {
				d.edit(one.Range, one.Text)
			}
			d.version = p.TextDocument.Version
		}
	case "textDocument/didClose":
		p, err := params[actionParams](r)
		if err != nil {
			return err
		}
		delete(s.open, p.TextDocument.URI)
	}
	select {
	case s.edited <- struct{}{}:
	default: // a check is already scheduled
	}
	return nil
}

// checks publishes the mistakes when nothing has changed for a pause, until ctx ends.
func (s *server) checks(ctx context.Context, c *jsonrpc2.Conn) {
	t := time.NewTimer(s.o.Pause)
	t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.edited:
			t.Reset(s.o.Pause)
		case <-t.C:
			s.publish(c)
		}
	}
}

// opened returns the open document of a file, or nil.
func (s *server) opened(path string) *document {
	for _, d := range s.open {
		if d.path == path && path != "" {
			return d
		}
	}
	return nil
}

// read returns the editor's text of a file, or the file on disk if it is not open.
func (s *server) read(path string) ([]byte, error) {
	if d := s.opened(path); d != nil {
		return []byte(d.text), nil
	}
	return disk.Read(path, syntax.MaxFile)
}

// check returns the diagnostics of all open scenarios by URI. A file that two scenarios extend gets the diagnostics
// of both.
func (s *server) check() map[string][]diagnostic {
	out := map[string][]diagnostic{}
	for _, d := range s.open {
		if d.path == "" || !isScenario(d.text, s.keys) {
			continue
		}
		if out[d.uri] == nil {
			out[d.uri] = []diagnostic{} // stays empty unless a mistake is found
		}
		notes, err := s.o.Check(d.path, s.read)
		for _, f := range s.found(d, notes, err) {
			if !slices.Contains(out[f.uri], f.diagnostic) {
				out[f.uri] = append(out[f.uri], f.diagnostic)
			}
		}
	}
	return out
}

// publish checks the open files and sends their mistakes to the editor. It publishes an empty list for a file that no
// longer has mistakes.
func (s *server) publish(c *jsonrpc2.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.check()
	for _, uri := range s.shown {
		if _, ok := found[uri]; !ok {
			found[uri] = []diagnostic{}
		}
	}
	s.shown = s.shown[:0]
	for uri, list := range found {
		p := published{URI: uri, Diagnostics: list}
		if d := s.open[uri]; d != nil {
			p.Version = &d.version
		}
		if len(list) > 0 || s.open[uri] != nil {
			s.shown = append(s.shown, uri)
		}
		_ = c.Notify(context.Background(), "textDocument/publishDiagnostics", p) // fails only at the end of the stream
	}
}
