package grpc

import (
	"maps"
	"slices"
	"strings"

	"brunt/scenarios/syntax"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// A registry holds services by their full names.
type registry struct {
	services map[protoreflect.FullName]protoreflect.ServiceDescriptor
	from     string // source of the descriptions, for messages
}

func newRegistry(from string) *registry {
	return &registry{services: map[protoreflect.FullName]protoreflect.ServiceDescriptor{}, from: from}
}

// add adds the services of a file.
func (r *registry) add(f protoreflect.FileDescriptor) {
	for i := range f.Services().Len() {
		s := f.Services().Get(i)
		r.services[s.FullName()] = s
	}
}

// addFiles adds the services of all files.
func (r *registry) addFiles(all *protoregistry.Files) {
	all.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		r.add(f)
		return true
	})
}

// names lists the services, sorted.
func (r *registry) names() (list []string) {
	for _, name := range slices.Sorted(maps.Keys(r.services)) {
		list = append(list, string(name))
	}
	return list
}

// method returns a method of a service, or nil. It notes mistakes in m.
func (r *registry) method(at syntax.Pos, service, name string, m *syntax.Mistakes) protoreflect.MethodDescriptor {
	s := r.services[protoreflect.FullName(service)]
	if s == nil {
		m.AddHint(at, unknownService(service, r.names()), "%s has no service %q", r.from, syntax.Clip(service, 60))
		return nil
	}
	d := s.Methods().ByName(protoreflect.Name(name))
	if d == nil {
		var names []string
		for i := range s.Methods().Len() {
			names = append(names, string(s.Methods().Get(i).Name()))
		}
		m.AddHint(at, syntax.DidYouMean(name, names), "the service %s has no method %q", service, syntax.Clip(name, 60))
		return nil
	}
	return d
}

// unknownService is the hint for a service that is not among names.
func unknownService(service string, names []string) string {
	for _, name := range names { // the name lacks its package
		if strings.HasSuffix(name, "."+service) {
			return syntax.Suggestion(name)
		}
	}
	return syntax.DidYouMean(service, names)
}
