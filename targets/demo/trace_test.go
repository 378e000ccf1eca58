package demo

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

var traceparentForm = regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)

func TestTraceOf(t *testing.T) {
	const id = "0af7651916cd43dd8448eb211c80319c"
	tests := []struct {
		name   string
		header []string
		kept   bool
	}{
		{"as it should be", []string{traceparent}, true},
		{"not sampled", []string{"00-" + id + "-b7ad6b7169203331-00"}, true},
		{"a later version", []string{"01-" + id + "-b7ad6b7169203331-01-more"}, true},
		{"absent", nil, false},
		{"empty", []string{""}, false},
		{"two of them", []string{traceparent, traceparent}, false},
		{"more than this version has", []string{traceparent + "-more"}, false},
		{"a later version without a dash", []string{"01-" + id + "-b7ad6b7169203331-01more"}, false},
		{"no version", []string{"ff-" + id + "-b7ad6b7169203331-01"}, false},
		{"upper case", []string{strings.ToUpper(traceparent)}, false},
		{"no hex", []string{"00-" + strings.Repeat("g", 32) + "-b7ad6b7169203331-01"}, false},
		{"a trace of zeros", []string{"00-" + strings.Repeat("0", 32) + "-b7ad6b7169203331-01"}, false},
		{"a parent of zeros", []string{"00-" + id + "-0000000000000000-01"}, false},
		{"no dashes", []string{strings.ReplaceAll(traceparent, "-", "0")}, false},
		{"too short", []string{traceparent[:54]}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := traceOf(http.Header{"Traceparent": tt.header, "Tracestate": {"a=1", "b=2"}})
			if (got.id == id) != tt.kept {
				t.Errorf("trace %q, kept %v, want %v", got.id, got.id == id, tt.kept)
			}
			if want := map[bool]string{true: "a=1,b=2"}[tt.kept]; got.state != want {
				t.Errorf("tracestate %q, want %q", got.state, want)
			}
			out := http.Header{}
			got.set(out)
			if s := out.Get("traceparent"); !traceparentForm.MatchString(s) {
				t.Errorf("passed on as %q", s)
			}
		})
	}
}

func FuzzParseTraceparent(f *testing.F) {
	f.Add(traceparent)
	f.Add("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := parseTraceparent(s)
		if !ok {
			return
		}
		h := http.Header{}
		got.set(h)
		if s := h.Get("Traceparent"); !traceparentForm.MatchString(s) || !strings.Contains(s, got.id) {
			t.Errorf("passed on as %q", s)
		}
	})
}
