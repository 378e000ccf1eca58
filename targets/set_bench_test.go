package targets_test

import (
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
)

type idleCall struct{ name string }

func (c *idleCall) Name() string                 { return c.name }
func (c *idleCall) Traits() scenarios.CallTraits { return scenarios.CallTraits{} }

// idle is a protocol whose sessions do nothing, so that a benchmark measures the set alone.
func idle(kind string) *targets.Descriptor {
	return &targets.Descriptor{
		Name: kind, Kinds: []string{kind},
		Compile: func(b syntax.Block, _ targets.Scope, _ *syntax.Mistakes) (scenarios.Call, bool) {
			return &idleCall{b.Kind}, true
		},
		Client: func(targets.Options) (targets.Client, error) {
			return idleClient{targets.Spoken{Versions: []string{kind, "1.0"}, Waits: 2, Streams: len(kind)}}, nil
		},
		EndIteration: func(targets.Session, *template.Iter) {},
	}
}

type idleClient struct{ spoken targets.Spoken }

func (idleClient) Open(int) (targets.Session, error)                             { return idleClient{}, nil }
func (idleClient) Do(_ *template.Iter, _ scenarios.Call, out *scenarios.Outcome) { out.Status++ }
func (idleClient) Abort()                                                        {}
func (idleClient) Opened() int64                                                 { return 0 }
func (c idleClient) Spoken() targets.Spoken                                      { return c.spoken }
func (idleClient) Close() error                                                  { return nil }

// BenchmarkSet_Iteration measures an iteration of six steps, its end included, in a load of one or
// two protocols, on all cores.
func BenchmarkSet_Iteration(b *testing.B) {
	for _, c := range []struct {
		name  string
		kinds []string
	}{{"protocols=1", []string{"a"}}, {"protocols=2", []string{"a", "b"}}} {
		b.Run(c.name, func(b *testing.B) {
			var list []*targets.Descriptor
			for _, k := range c.kinds {
				list = append(list, idle(k))
			}
			set := targets.NewSet(nil, list...)
			var calls []scenarios.Call
			for i := range 6 {
				call, _ := set.Compile(syntax.Block{Kind: c.kinds[i%len(c.kinds)]}, targets.Scope{}, &syntax.Mistakes{})
				calls = append(calls, call)
			}
			of := set.Select(calls...)
			client, err := of.Client(targets.Options{})
			if err != nil {
				b.Fatal(err)
			}
			end := of.Ender()
			b.ReportAllocs()
			b.RunParallel(func(p *testing.PB) {
				session, err := client.Open(0)
				if err != nil {
					b.Error(err)
					return
				}
				var it template.Iter
				var out scenarios.Outcome
				for p.Next() {
					for _, call := range calls {
						session.Do(&it, call, &out)
					}
					end(session, &it)
				}
			})
		})
	}
}

// BenchmarkSelection_Do measures what it costs that a panic of a session is the error of the call.
func BenchmarkSelection_Do(b *testing.B) {
	set := targets.NewSet(nil, idle("a"))
	call, _ := set.Compile(syntax.Block{Kind: "a"}, targets.Scope{}, &syntax.Mistakes{})
	guarded, err := set.Select(call).Client(targets.Options{})
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		client targets.Client
	}{{"guarded=no", idleClient{}}, {"guarded=yes", guarded}} {
		b.Run(c.name, func(b *testing.B) {
			session, err := c.client.Open(0)
			if err != nil {
				b.Fatal(err)
			}
			var it template.Iter
			var out scenarios.Outcome
			b.ReportAllocs()
			for b.Loop() {
				session.Do(&it, call, &out)
			}
		})
	}
}
