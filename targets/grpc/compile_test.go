package grpc_test

import (
	"fmt"
	"os"
	"path/filepath"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/grpc"
	"brunt/targets/stream"
)

// compileAt compiles the steps of a scenario in dir, whose only endpoint has settings.
func compileAt(dir, settings, flow string) ([]scenarios.Call, error) {
	text := fmt.Sprintf("version: 1\ntarget: {endpoints: {shop: {url: \"grpc://127.0.0.1:1\", %s}}}\nload:\n  a: "+
		"{executor: constant-vus, vus: 1, "+
		"duration: 1s, flow: [%s]}\n", settings, flow)
	name := filepath.Join(dir, "s.yaml")
	sc, err := scenarios.Parse(name, scenarios.Options{Read: func(path string) ([]byte, error) {
		if path == name {
			return []byte(text), nil
		}
		return os.ReadFile(path)
	}})
	if sc == nil {
		return nil, err
	}
	m := sc.Mistakes()
	set := targets.NewSet(nil, grpc.Descriptor(), stream.Descriptor(grpc.Streams()))
	in := targets.Scope{Symbols: sc.Symbols, Checks: new([]string), File: sc.Read, Shared: new(targets.Shared)}
	var calls []scenarios.Call
	for i := range sc.Loads[0].Mix[0].Flow {
		s := &sc.Loads[0].Mix[0].Flow[i]
		if block, ok := s.Block(set.Kinds(), m, set.Beside()...); ok {
			if call, ok := set.Compile(block, in.To(s.At, sc.Target.Endpoints), m); ok {
				calls = append(calls, call)
			}
		}
	}
	return calls, m.Err()
}
