package words_test

import (
	"testing"

	"brunt/reporters/words"
)

// TestTraceOf checks that only traces are shown as such, and only http links are links.
func TestTraceOf(t *testing.T) {
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	for link, want := range map[string]string{
		"https://t.example/${trace.id}":   "https://t.example/" + id,
		"http://t/?q=${trace.id}":         "http://t/?q=" + id,
		"javascript:alert('${trace.id}')": "", "data:text/html,${trace.id}": "", "//t/${trace.id}": "", "": "",
		"https://u:p@t/${trace.id}": "",
	} {
		if got := words.TraceOf(link, id); got == nil || got.ID != id || got.Link != want {
			t.Errorf("%s: %+v, want %q", link, got, want)
		}
	}
	if words.TraceOf("https://t/${trace.id}", "<script>") != nil || words.TraceOf("https://t/${trace.id}", "") != nil {
		t.Error("that is not an id")
	}
}
