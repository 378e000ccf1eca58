package scenarios_test

import (
	"testing"

	"brunt/scenarios"
)

// TestRootSpan: the ids that the spans of a request and of brunt have in common never change within a run, differ, and
// are not zero.
func TestRootSpan(t *testing.T) {
	seen := map[uint64]bool{0: true}
	for _, low := range []uint64{0, 1, 2, 1 << 40, 1<<64 - 1} {
		if id := scenarios.RootSpan(low); seen[id] || id != scenarios.RootSpan(low) {
			t.Errorf("%d has the span %x", low, id)
		} else {
			seen[id] = true
		}
	}
}

func TestTrace_ListenAddress(t *testing.T) {
	for text, want := range map[string]string{
		"127.0.0.1:4318": "127.0.0.1:4318", ":4318": "127.0.0.1:4318", "localhost:0": "127.0.0.1:0", "[::1]:1": "[::1]:1",
		"10.1.2.3:4318": "10.1.2.3:4318", "": "", "4318": "", "host:4318": "", ":http": "", ":70000": "", "::1": "",
	} {
		if got := (&scenarios.Trace{Listen: text}).ListenAddress(); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestParseTraceparent(t *testing.T) {
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	for text, want := range map[string]string{
		"00-" + id + "-00f067aa0ba902b7-01": id,
		"":                                  "",
		"00-" + id + "-00f067aa0ba902b7":    "",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01": "",
		"00-4bf92f3577b34da6a3ce929d0e0e473x-00f067aa0ba902b7-01": "",
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01": "",
	} {
		if got := scenarios.ParseTraceparent(text).String(); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	if got := scenarios.TraceLink("https://t/${trace.id}?again=${trace.id}", id); got != "https://t/"+id+"?again="+id {
		t.Error(got)
	}
	if scenarios.TraceLink("", id)+scenarios.TraceLink("https://t/${trace.id}", "") != "" {
		t.Error("a link to nothing")
	}
}
