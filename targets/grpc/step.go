package grpc

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/check"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/grpc/status"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Descriptor describes gRPC over HTTP/2: h2c for endpoints with the scheme grpc, TLS for grpcs.
func Descriptor() *targets.Descriptor {
	d := &targets.Descriptor{
		Name: "grpc", Doc: "Calls a method of gRPC.", Causes: []scenarios.CauseFamily{causes},
		Kinds: []string{"grpc"}, Schemes: []string{"grpc", "grpcs"}, OverHTTP: true,
		Wires: map[string]targets.Wire{
			"grpc": {Formats: []string{"http", "http/2", "grpc"}}, "grpcs": {TLS: true, Plain: "grpc"},
		},
		Settings: reflect.TypeFor[callStep](), Endpoint: reflect.TypeFor[endpoint](),
		Compile: compile, Bind: bind, Parts: parts,
		Absent: func(_ scenarios.Call, out *scenarios.Outcome) bool { return out.Status == int32(codes.NotFound) },
		Retry:  func(_ scenarios.Call, out *scenarios.Outcome) bool { return temporary(codes.Code(out.Status)) },
		Lasts:  func(c scenarios.Call) bool { return c.(*grpcCall).lasts() },
	}
	d.Client = func(o targets.Options) (targets.Client, error) { return newClient(o, d) }
	return d
}

// causes are the causes of answers whose status a step does not accept.
var causes = scenarios.CauseFamily{
	First: 4 << 16, Name: func(code int32) string { return "status " + status.Name(int(code)) },
	TimedOut: int32(codes.DeadlineExceeded),
}

// temporary reports whether a later call may get another status.
func temporary(c codes.Code) bool {
	return c == codes.Unavailable || c == codes.ResourceExhausted || c == codes.DeadlineExceeded || c == codes.Aborted
}

// callStep is the YAML of one call.
type callStep struct {
	syntax.Place
	// the method, such as shop.Orders/Get; health and health/SERVICE ask whether the server is SERVING
	GRPC string `yaml:"grpc"`
	// the message to send, with its fields by name; nil is an empty message
	Message *messageSource `yaml:"message"`
	Stream  streamStep     `yaml:",inline"`
	// metadata by name; if a name ends in -bin, its value is sent as base64
	Metadata map[string]template.Header `yaml:"metadata"`
	// time limit of the call; it is sent to the server, and brunt counts it from the moment when it is ready to send;
	// default: none is sent, and the load's timeout applies
	Deadline quantity.Duration `yaml:"deadline,positive"`
	Check    *answerCheck      `yaml:"check"` // conditions for an ok answer; nil is the status OK
	// conditions that a good answer meets if it is complete; an answer that does not meet them is no error
	Want    *check.PathWants      `yaml:"want"`
	Extract map[string]extraction `yaml:"extract"` // variables, each with the place of its value
}

// KeyHint says where an unknown key stands: a step of HTTP has its message under `json`.
func (*callStep) KeyHint(key string) string {
	if key == "json" {
		return "such as message: {…}"
	}
	return ""
}

// grpcCall is a compiled call.
type grpcCall struct {
	name     string
	at       syntax.Pos       // of the method's name
	path     string           // of the method: /shop.Orders/Get
	sends    []*messageSource // a nil item is an empty message
	listed   bool             // sends come from the step's `send`
	end      streamEnd
	metadata []metadatum
	deadline time.Duration // zero: the load's timeout
	protos   []string      // arguments for grpcurl that name the files of the endpoint
	fixed    bool          // it has no placeholders: every call is the same
	held     bool          // messages in both directions, which package stream sends and reads

	expected
	bound atomic.Pointer[binding] // nil: not known yet
	ready atomic.Pointer[request]
}

// A binding holds the facts about a method that a call needs.
type binding struct {
	input, output protoreflect.MessageDescriptor
	gives         bool   // the method gives a stream of messages
	fixed         []byte // the encoded messages, if they have no placeholders; nil: they have some
	text          string // the same messages as JSON
}

type metadatum struct {
	name string
	template.Template
}

func (c *grpcCall) Name() string { return c.name }

func (c *grpcCall) Traits() scenarios.CallTraits {
	t := scenarios.CallTraits{
		Refs: c.refs(), Sheds: len(c.shed) > 0, Wants: c.rest.Wants(), Method: sentMethod,
		URL: strings.TrimPrefix(c.path, "/"),
	}
	if c.end.given() {
		t.Unfit = scenarios.Cut(t.Refs)
	}
	return t
}

// refs lists the placeholders that are filled in for each call.
func (c *grpcCall) refs() (refs []*syntax.Ref) {
	for _, s := range c.sends {
		refs = append(refs, s.Refs()...)
	}
	for i := range c.metadata {
		refs = append(refs, c.metadata[i].Refs()...)
	}
	return refs
}

// compile compiles a step. The services of an endpoint with files are known at once, and those of other endpoints
// when the call is bound.
func compile(step syntax.Block, in targets.Scope, m *syntax.Mistakes) (scenarios.Call, bool) {
	s, ok := syntax.Resolve(step, map[string]func() *callStep{step.Kind: func() *callStep { return new(callStep) }}, m)
	if !ok {
		return nil, false
	}
	before := m.Len()
	c := &grpcCall{name: cmp.Or(in.Name, s.GRPC), at: s.Of("grpc"), deadline: s.Deadline.D()}
	known := c.compileMethod(s, in, m)
	c.compileStream(s, in, m)
	c.compileMetadata(s, m)
	c.compileChecks(s.Check, in, m)
	if s.Want != nil {
		c.decodes = c.decodes || s.Want.ReadsBody()
		c.rest.Want("metadata", &s.Want.Wants)
	}
	targets.Extract[*answer](&c.rest, s.Extract, in)
	for _, e := range s.Extract {
		c.decodes = c.decodes || e.Path != nil
	}
	switch {
	case c.deadline > 0 && in.Timeout > 0 && c.deadline > in.Timeout:
		m.AddHint(s.Of("deadline"), "a longer `timeout` of the load",
			"the deadline is longer than the load's timeout, %s, and so can't pass",
			quantity.FormatDuration(in.Timeout))
	default:
		in.RefuseAuth("grpc", "`metadata: {authorization: …}` of the step sends a token", m)
	}
	c.fixed = len(c.refs()) == 0
	if known != nil && m.Len() == before {
		c.bindTo(known, m)
	}
	return c, m.Len() == before
}

// compileMethod finds the method without contact to the server. It returns the services that are known, or nil.
func (c *grpcCall) compileMethod(s *callStep, in targets.Scope, m *syntax.Mistakes) *registry {
	if s.GRPC == "health" || strings.HasPrefix(s.GRPC, "health/") {
		c.compileHealth(s, m)
		return health()
	}
	service, method, ok := strings.Cut(strings.TrimPrefix(s.GRPC, "/"), "/")
	if !ok || service == "" || method == "" || strings.ContainsAny(s.GRPC, " \t\r\n?#${}") ||
		strings.Contains(method, "/") {
		hint := "such as shop.Orders/Get: package.Service/Method"
		if i := strings.LastIndexByte(service, '.'); !ok && i > 0 {
			hint = "such as " + service[:i] + "/" + service[i+1:]
		}
		m.AddHint(c.at, hint, "%q is not a method", syntax.Clip(s.GRPC, 60))
		return nil
	}
	c.path = "/" + service + "/" + method
	files := filesOf(in, m)
	if files == nil {
		return nil
	}
	c.protos = files.arguments
	return files.registry
}

// compileHealth makes the step a question to the health service.
func (c *grpcCall) compileHealth(s *callStep, m *syntax.Mistakes) {
	c.path = healthpb.Health_Check_FullMethodName
	if s.Message != nil {
		m.Add(s.Of("message"), "health has no message; health/SERVICE asks for one service")
	}
	_, service, _ := strings.Cut(s.GRPC, "/")
	name := &syntax.Node{Kind: syntax.String, Value: service, Pos: c.at}
	s.Message = new(messageSource)
	s.Message.DecodeNode(&syntax.Node{
		Kind: syntax.Map, Pos: c.at, Fields: []syntax.Field{{Key: "service", Pos: c.at, Value: name}},
	}, m)
	if s.Check == nil {
		s.Check = new(answerCheck)
	}
	if s.Check.status == nil && len(s.Check.Paths) == 0 {
		serving := &syntax.Node{Kind: syntax.String, Value: "SERVING", Pos: c.at}
		if k, ok := check.DecodePath(syntax.Field{Key: "$.status", Pos: c.at, Value: serving}, m); ok {
			s.Check.Paths = append(s.Check.Paths, k)
		}
	}
}

// compileMetadata checks the names of metadata.
func (c *grpcCall) compileMetadata(s *callStep, m *syntax.Mistakes) {
	for _, name := range slices.Sorted(maps.Keys(s.Metadata)) {
		h := s.Metadata[name]
		switch lower := strings.ToLower(name); {
		case !check.IsToken(name):
			m.Add(h.At, "%q is not a name of metadata", syntax.Clip(name, 60))
		case strings.HasPrefix(lower, "grpc-"), slices.Contains(ownMetadata, lower):
			hint := ""
			if lower == "grpc-timeout" {
				hint = "`deadline` of the step sets it"
			}
			m.AddHint(h.At, hint, "metadata %s is brunt's to set", name)
		default:
			c.metadata = append(c.metadata, metadatum{lower, h.Template})
		}
	}
}

// ownMetadata are the headers of a request that authors can't set.
var ownMetadata = []string{
	"te", "content-type", "content-length", "user-agent", "host", "connection",
	"transfer-encoding", "upgrade", "keep-alive",
}

// bind finds the method of a call by the server's reflection, unless a file describes it.
func bind(ctx context.Context, call scenarios.Call, by targets.Client) error {
	return call.(*grpcCall).bindBy(ctx, by.(*client))
}

// bindBy finds the method by the reflection of the client's server, unless a file describes it.
func (c *grpcCall) bindBy(ctx context.Context, by *client) error {
	if c.bound.Load() != nil {
		return nil
	}
	r, err := by.reflect(ctx, c.service())
	if err != nil {
		return fmt.Errorf("%s: %w", c.at, err)
	}
	var m syntax.Mistakes
	c.bindTo(r, &m)
	return m.Err()
}

// service returns the name of the call's service.
func (c *grpcCall) service() string {
	service, _, _ := strings.Cut(c.path[1:], "/")
	return service
}

// bindTo finds the method among the services of r, and prepares its message. It notes mistakes in m.
func (c *grpcCall) bindTo(r *registry, m *syntax.Mistakes) {
	service, name, _ := strings.Cut(c.path[1:], "/")
	method := r.method(c.at, service, name, m)
	if method == nil || !c.fits(method, m) {
		return
	}
	b := &binding{input: method.Input(), output: method.Output(), gives: method.IsStreamingServer()}
	for _, s := range c.sends {
		if !s.check(b.input, m) {
			return
		}
	}
	if b.compile(c.sends, m) {
		c.bound.Store(b)
	}
}
