package grpc

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/targets"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// reflectionPaths are the methods with which servers describe their services, the newest first.
var reflectionPaths = []string{
	"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
	"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
}

// reflectionTime limits one question to a server.
const reflectionTime = 10 * time.Second

// mostFiles is the maximum number of files that describe a service.
const mostFiles = 10_000

// Fields of grpc.reflection.v1.ServerReflectionRequest and of its answer.
const (
	askFile     = 3 // by its name
	askSymbol   = 4 // the file that declares a service
	askServices = 7
	gotFiles    = 4
	gotServices = 6
	gotError    = 7
)

// A reflection is a dialogue with a server about its services.
type reflection struct {
	ctx    context.Context
	client *client
	path   string // the path that the server supports; empty: not known yet
	files  map[string]*descriptorpb.FileDescriptorProto
}

// reflect returns the registry of a service of the server.
func (c *client) reflect(ctx context.Context, service string) (*registry, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.reflected[service]; r != nil {
		return r, nil
	}
	q := &reflection{ctx: ctx, client: c, files: map[string]*descriptorpb.FileDescriptorProto{}}
	r, err := q.service(service)
	if err != nil {
		return nil, err
	}
	c.reflected[service] = r
	return r, nil
}

// Describe asks the server at a URL for its services by reflection. It returns them as a set of descriptors
// (google.protobuf.FileDescriptorSet), without services that the server can't describe.
func Describe(ctx context.Context, at string) (described []byte, err error) {
	defer scenarios.Recover(&err)
	u, err := url.Parse(at)
	if err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil {
		return nil, fmt.Errorf("want HOST:PORT, grpc://HOST:PORT or grpcs://HOST:PORT, not %q", syntax.Clip(at, 100))
	}
	by, err := newClient(targets.Options{Base: at, Timeout: reflectionTime, T0: time.Now(), Agent: "brunt"}, Descriptor())
	if err != nil {
		return nil, err
	}
	defer by.Close()
	q := &reflection{ctx: ctx, client: by.(*client), files: map[string]*descriptorpb.FileDescriptorProto{}}
	names, err := q.services()
	if err != nil {
		return nil, err
	}
	var undescribed error
	for _, name := range names {
		if strings.HasPrefix(name, "grpc.reflection.") { // it is not a target of load
			continue
		}
		err := q.fetch(askSymbol, name)
		if _, missing := errors.AsType[*reflectionError](err); missing { // the server serves a service that it can't describe
			undescribed = fmt.Errorf("the service %s: %w", syntax.Clip(name, 60), err)
		} else if err != nil {
			return nil, err
		}
	}
	if len(q.files) == 0 && undescribed != nil {
		return nil, undescribed
	}
	if _, err := q.linked(); err != nil {
		return nil, err
	}
	set := new(descriptorpb.FileDescriptorSet)
	for _, name := range slices.Sorted(maps.Keys(q.files)) {
		set.File = append(set.File, q.files[name])
	}
	return proto.Marshal(set)
}

// service asks for the file that declares a service, and for all files that this file imports.
func (q *reflection) service(name string) (*registry, error) {
	r := newRegistry("the server at " + q.client.host)
	err := q.fetch(askSymbol, name)
	if _, missing := errors.AsType[*reflectionError](err); missing {
		names, lerr := q.services()
		if lerr != nil {
			return nil, err
		}
		hint := unknownService(name, names)
		if hint != "" {
			hint = "; " + hint
		}
		return nil, fmt.Errorf("%s has no service %q%s", r.from, syntax.Clip(name, 60), hint)
	}
	if err != nil {
		return nil, err
	}
	all, err := q.linked()
	if err != nil {
		return nil, err
	}
	r.addFiles(all)
	return r, nil
}

// linked fetches the missing imports of all files, and links them.
func (q *reflection) linked() (*protoregistry.Files, error) {
	asked := map[string]bool{}
	for more := true; more; {
		more = false
		for _, f := range q.files {
			for _, name := range f.GetDependency() {
				if q.files[name] != nil || asked[name] {
					continue
				}
				asked[name], more = true, true
				if _, missing := errors.AsType[*reflectionError](q.fetch(askFile, name)); missing {
					continue // fields of the missing type stay without it
				}
				if err := q.ctx.Err(); err != nil {
					return nil, err
				}
			}
		}
		if len(q.files) > mostFiles {
			return nil, fmt.Errorf("the server describes its services by more than %d files", mostFiles)
		}
	}
	set := new(descriptorpb.FileDescriptorSet)
	for _, f := range q.files {
		set.File = append(set.File, f)
	}
	all, err := protodesc.FileOptions{AllowUnresolvable: true}.NewFiles(set)
	if err != nil {
		return nil, fmt.Errorf("the server's description of its services: %w", err)
	}
	return all, nil
}

// services lists the services of the server.
func (q *reflection) services() (names []string, err error) {
	got, err := q.ask(askServices, "")
	if err != nil {
		return nil, err
	}
	for _, one := range fieldsOf(got[gotServices], 1) {
		for _, name := range fieldsOf(one, 1) {
			names = append(names, string(name))
		}
	}
	return names, nil
}

// fetch asks for files and adds them.
func (q *reflection) fetch(field protowire.Number, value string) error {
	got, err := q.ask(field, value)
	if err != nil {
		return err
	}
	for _, b := range fieldsOf(got[gotFiles], 1) {
		f := new(descriptorpb.FileDescriptorProto)
		if err := proto.Unmarshal(b, f); err != nil {
			return fmt.Errorf("the server's description of its services: %s", why(err))
		}
		q.files[f.GetName()] = f
	}
	return nil
}

// A reflectionError is the server's answer to a question that it can't answer.
type reflectionError struct{ text string }

func (e *reflectionError) Error() string { return "reflection: " + e.text }

// ask asks one question and returns the fields of the answer.
func (q *reflection) ask(field protowire.Number, value string) (map[protowire.Number][]byte, error) {
	question := protowire.AppendString(protowire.AppendTag(nil, field, protowire.BytesType), value)
	paths := reflectionPaths
	if q.path != "" {
		paths = []string{q.path}
	}
	for _, path := range paths {
		a, err := q.send(path, question)
		if err != nil {
			return nil, err
		}
		status, said := a.status, a.String()
		wire := []byte(string(a.raw.Raw))
		a.raw.Release()
		switch status {
		case codes.OK:
		case codes.Unimplemented:
			continue
		default:
			return nil, fmt.Errorf("the server at %s did not tell its services: %s", q.client.host, said)
		}
		q.path = path
		got := map[protowire.Number][]byte{}
		for _, n := range []protowire.Number{gotFiles, gotServices, gotError} {
			if all := fieldsOf(wire[prefix:], n); len(all) > 0 {
				got[n] = all[0]
			}
		}
		if failed, yes := got[gotError]; yes {
			text := "it has none"
			if all := fieldsOf(failed, 2); len(all) > 0 {
				text = string(all[0])
			}
			return nil, &reflectionError{syntax.Clip(text, 200)}
		}
		return got, nil
	}
	return nil, fmt.Errorf("the server at %s has no reflection, which tells the messages of its services; give their "+
		"files: "+
		"`endpoints: {NAME: {url: …, protos: [FILE]}}`, or protoset", q.client.host)
}

// send makes the call.
func (q *reflection) send(path string, question []byte) (*answer, error) {
	c := q.client
	t := &exchange{
		client: c, call: &grpcCall{path: path, expected: expected{decodes: true}}, out: new(scenarios.Outcome),
		binding: &binding{fixed: prefixed(question)}, deadline: c.o.Now() + reflectionTime,
	}
	if at, ok := q.ctx.Deadline(); ok {
		t.deadline = min(t.deadline, at.Sub(c.o.T0))
	}
	stop := context.AfterFunc(q.ctx, c.Abort)
	defer stop()
	var err error
	if t.send, _, err = t.call.compose(nil, nil, nil, c, t.binding); err == nil {
		err = t.ask()
	}
	if err != nil {
		return nil, fmt.Errorf("the server at %s was asked for its services: %w", c.host, err)
	}
	return &t.answer, nil
}

// fieldsOf returns the values of all fields with number n in an encoded message, which must be texts, bytes or
// messages. It stops where the message is malformed.
func fieldsOf(b []byte, n protowire.Number) (values [][]byte) {
	for len(b) > 0 {
		number, kind, size := protowire.ConsumeTag(b)
		if size < 0 {
			return values
		}
		b = b[size:]
		if kind == protowire.BytesType {
			value, size := protowire.ConsumeBytes(b)
			if size < 0 {
				return values
			}
			if b = b[size:]; number == n {
				values = append(values, value)
			}
			continue
		}
		if size = protowire.ConsumeFieldValue(number, kind, b); size < 0 {
			return values
		}
		b = b[size:]
	}
	return values
}
