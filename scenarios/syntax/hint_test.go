package syntax

import (
	"fmt"
	"strings"
	"testing"
)

// Words of other tools lead to what has another name here, also where a third name is nearer.
func TestElsewhere(t *testing.T) {
	load := []string{"rate", "duration", "start", "max_in_flight", "flow", "timeout"}
	for word, want := range map[string]string{
		"timeUnit": "rate: 20/s", "maxVUs": "max_in_flight", "startTime": "start: 5s", "target": "rate: 10/s",
	} {
		if got := keyHint(word, load); !strings.Contains(got, want) || Elsewhere(strings.ToLower(word)) != got {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
	if got := DidYouMean("process.kill", []string{"process.stop", "process.crash", "container.kill"}); got !=
		`did you mean "process.crash"?` {
		t.Error(got)
	}
}

func TestDidYouMean(t *testing.T) {
	kinds := []string{"constant-arrival-rate", "ramping-arrival-rate", "spike", "network.latency", "get", "id", "x"}
	many := make([]string, 41)
	for i := range many {
		many[i] = fmt.Sprintf("candidate-%d", i)
	}
	known := "known are constant-arrival-rate, get, id, network.latency, ramping-arrival-rate, spike, x"
	tests := []struct {
		word string
		from []string
		want string
	}{
		{"spkie", kinds, `did you mean "spike"?`},
		{"Spike", kinds, `did you mean "spike"?`},
		{"constant-arival-rate", kinds, `did you mean "constant-arrival-rate"?`},
		{"constant", kinds, `did you mean "constant-arrival-rate"?`},
		{"latency", kinds, `did you mean "network.latency"?`},
		{"rate", kinds, `did you mean "constant-arrival-rate"?`},
		{"gte", kinds, `did you mean "get"?`},
		{"ge", kinds, `did you mean "get"?`},
		{"di", kinds, `did you mean "id"?`},
		{"y", kinds, known},
		{"post", kinds, known},
		{"", kinds, known},
		{"zebra", many, ""},
		{"zebra", nil, ""},
		{"zebra", []string{"b", "a", "b"}, "known are a, b"},
		{strings.Repeat("a", 100), kinds, known},
	}
	for _, tt := range tests {
		if got := DidYouMean(tt.word, tt.from); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.word, got, tt.want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"a", "", 1},
		{"", "abc", 3},
		{"abc", "abc", 0},
		{"abc", "abd", 1},
		{"abc", "acb", 1},
		{"abc", "ab", 1},
		{"abc", "xabc", 1},
		{"kitten", "sitting", 3},
		{"ca", "abc", 3},
	} {
		if got := distance(c.a, c.b); got != c.want || distance(c.b, c.a) != c.want {
			t.Errorf("%s to %s is %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
