package convert

import (
	"fmt"
	"net"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"brunt/scenarios/convert/draft"
	"brunt/scenarios/syntax"
	"brunt/targets/grpc"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// grpcConverter returns the converter for gRPC services.
func grpcConverter() draft.Converter {
	return draft.Converter{
		Name: "grpc", Source: "a gRPC server", Convert: convert,
		Usage: "Of grpc, HOST:PORT is a server, and grpcs://HOST:PORT is one with TLS.", Asked: server, Ask: grpc.Describe,
		Doc: "a load that picks one of the unary methods in each iteration, with a message of each; of a server at " +
			"HOST:PORT, which is asked for its " +
			"services by reflection, or of a set of descriptors, made by `protoc --include_imports --descriptor_set_out=FILE`",
	}
}

// server returns the URL of a server, which may lack its scheme. It is empty if arg is a file.
func server(arg string) string {
	if strings.HasPrefix(arg, "grpc://") || strings.HasPrefix(arg, "grpcs://") {
		return arg
	}
	host, port, err := net.SplitHostPort(arg)
	if err != nil || host == "" || syntax.CheckPort(port) != nil {
		return ""
	}
	return "grpc://" + arg
}

// guessed is the endpoint for services whose server is not known.
const guessed = "grpc://127.0.0.1:50051"

// filesOf returns the files of a set, of which some that others import may lack. Each is made after those that it
// imports, else in the order of the set. [protodesc.FileOptions.NewFiles] goes by chance, so that a file that uses a
// type without importing it would be refused in some runs alone.
func filesOf(set *descriptorpb.FileDescriptorSet) (*protoregistry.Files, error) {
	all, left := &protoregistry.Files{}, slices.Clone(set.File)
	var add func(i int) error
	add = func(i int) error {
		f := left[i]
		left[i] = nil
		for j, other := range left {
			if other != nil && slices.Contains(f.GetDependency(), other.GetName()) {
				if err := add(j); err != nil {
					return err
				}
			}
		}
		made, err := protodesc.FileOptions{AllowUnresolvable: true}.New(f, all)
		if err != nil {
			return err
		}
		return all.RegisterFile(made)
	}
	for i := range left {
		if left[i] == nil {
			continue
		}
		if err := add(i); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// convert reads a set of descriptors. If a server returned the set, the file name is the URL of the server.
func convert(d *draft.Builder, source []byte) error {
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(source, &set); err != nil {
		return fmt.Errorf("%s is not a set of descriptors: `protoc --include_imports --descriptor_set_out=%s` writes one",
			d.O.File, path.Base(d.O.File))
	}
	all, err := filesOf(&set)
	if err != nil {
		return fmt.Errorf("%s: %w; `protoc --include_imports` writes a whole set", d.O.File, err)
	}
	var services []protoreflect.ServiceDescriptor
	all.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			services = append(services, f.Services().Get(i))
		}
		return true
	})
	slices.SortFunc(services, func(a, b protoreflect.ServiceDescriptor) int {
		return strings.Compare(string(a.FullName()), string(b.FullName()))
	})
	endpoint(d)
	load := d.Arrivals("10/s", "calls of all methods together")
	mix := (&draft.Node{Block: true, Items: []*draft.Node{}})
	for _, s := range services {
		if strings.HasPrefix(string(s.FullName()), "grpc.reflection.") {
			continue
		}
		for i := range s.Methods().Len() {
			method(d, mix, s.Methods().Get(i))
		}
	}
	if len(mix.Items) > 0 {
		d.Load.Set("calls", load.Set("mix", mix))
	}
	return nil
}

// endpoint sets the endpoint of the target.
func endpoint(d *draft.Builder) {
	one := draft.Plain(d.O.File)
	if u, err := url.Parse(d.O.File); err == nil && strings.HasPrefix(u.Scheme, "grpc") && u.Host != "" {
		d.Reach(u)
	} else {
		one = (&draft.Node{}).Set("url", draft.Raw(guessed)).Set("protoset",
			draft.Plain(d.Beside(d.O.File[strings.LastIndexAny(d.O.File, `/\`)+1:])))
		one.Behind = "the server is not known; this is a guess"
		d.Tell(0, "no server is named; %s is a guess, set the url of target.endpoints", guessed)
	}
	d.Endpoints = (&draft.Node{}).Set("server", one)
}

// method adds a call of a method to the mix.
func method(d *draft.Builder, mix *draft.Node, m protoreflect.MethodDescriptor) {
	name := string(m.Parent().FullName()) + "/" + string(m.Name())
	step, held := &draft.Node{}, m.IsStreamingClient() && m.IsStreamingServer()
	if name == "grpc.health.v1.Health/Check" {
		step.Set("grpc", draft.Raw("health"))
	} else {
		step.Set("grpc", draft.Plain(name))
		switch msg := message(m.Input(), nil); {
		case m.IsStreamingClient() && !held:
			step.Set("send", draft.List(msg))
		case len(msg.Fields) > 0:
			step.Set("message", msg)
		}
		switch {
		case held:
			step.Set("as", draft.Raw(heldName)).Set("expect", draft.Raw("exists"))
		case m.IsStreamingServer() && endless.MatchString(string(m.Name())):
			step.Set("messages", draft.Number(1))
			step.Say("the stream is left after one message, as its name says that it never ends; without `messages` it is read " +
				"to its end")
		case m.IsStreamingServer():
			step.Say("the stream is read to its end; where it never ends, `messages: N` leaves it after N")
		}
	}
	flow := draft.List()
	before := d.Dropped
	if d.Add(flow, step); d.Dropped > before {
		return
	}
	if held {
		flow.Items = append(flow.Items, (&draft.Node{}).Set("close", draft.Raw(heldName)))
	}
	one := (&draft.Node{}).Set("weight", draft.Number(1)).Set("flow", flow)
	one.Above, step.Above, mix.Pending = append(mix.Pending, step.Above...), nil, nil
	mix.Items = append(mix.Items, one)
}

const heldName = "call"

// endless matches names of methods whose streams never end.
var endless = regexp.MustCompile(`^(?:Watch|Subscribe|Listen|Follow|Tail|Observe|Monitor)`)

// deepest is the maximum depth of messages within messages.
const deepest = 4

// message returns a message with a value for each field; of a oneof only the first. It leaves out a message within a
// message of its own type. Within lists the types of the enclosing messages.
func message(d protoreflect.MessageDescriptor, within []protoreflect.FullName) *draft.Node {
	out := &draft.Node{}
	within = append(slices.Clone(within), d.FullName())
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		if one := f.ContainingOneof(); one != nil && !one.IsSynthetic() && one.Fields().Get(0) != f {
			continue
		}
		var v *draft.Node
		switch {
		case f.IsMap():
			if v = value(f.MapValue(), within); v != nil {
				v = (&draft.Node{}).Set(mapKey(f.MapKey().Kind()), v)
			}
		case f.IsList():
			if v = value(f, within); v != nil {
				v = draft.List(v)
			}
		default:
			v = value(f, within)
		}
		if v != nil {
			out.Set(string(f.Name()), v)
		}
	}
	return out
}

func mapKey(k protoreflect.Kind) string {
	switch k {
	case protoreflect.StringKind:
		return "key"
	case protoreflect.BoolKind:
		return "true"
	}
	return "1"
}

// known has values of messages with a JSON form of their own. Such messages that are missing here are left out.
var known = map[protoreflect.FullName]string{
	"google.protobuf.Timestamp": `"2026-01-01T00:00:00Z"`, "google.protobuf.Duration": `"1s"`,
	"google.protobuf.StringValue": "text",
	"google.protobuf.BytesValue":  `"dGV4dA=="`, "google.protobuf.BoolValue": "true", "google.protobuf.Int32Value": "1",
	"google.protobuf.Int64Value":  "1",
	"google.protobuf.UInt32Value": "1", "google.protobuf.UInt64Value": "1", "google.protobuf.FloatValue": "1.5",
	"google.protobuf.DoubleValue": "1.5",
}

// value returns a value for a field. Nil means that the field is left out.
func value(f protoreflect.FieldDescriptor, within []protoreflect.FullName) *draft.Node {
	switch f.Kind() {
	case protoreflect.BoolKind:
		return draft.Raw("true")
	case protoreflect.EnumKind:
		values := f.Enum().Values()
		if values.Len() == 0 { // it is in a file that is not there
			return nil
		}
		return draft.Plain(string(values.Get(min(1, values.Len()-1)).Name())) // the first value means that none is set
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return draft.Raw("1.5")
	case protoreflect.StringKind:
		return draft.Raw("text")
	case protoreflect.BytesKind:
		return draft.Plain("dGV4dA==")
	case protoreflect.MessageKind, protoreflect.GroupKind:
		if text, yes := known[f.Message().FullName()]; yes {
			return draft.Raw(text)
		}
		of := f.Message()
		if len(within) > deepest || slices.Contains(within, of.FullName()) ||
			strings.HasPrefix(string(of.FullName()), "google.protobuf.") ||
			of.IsPlaceholder() {
			return nil
		}
		if m := message(of, within); len(m.Fields) > 0 {
			return m
		}
		return nil
	}
	return draft.Raw("1")
}
