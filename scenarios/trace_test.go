package scenarios_test

import (
	"testing"

	"brunt/scenarios"
)

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
