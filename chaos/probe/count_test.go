package probe_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"brunt/chaos"
	"brunt/chaos/probe"
)

// node is a unit that says its roles one after the other, each once: L for leader, F for follower, and x for no answer.
type node struct {
	chaos.Unit
	name, addr string
}

func (n node) Name() string { return n.name }

func (n node) Service() string { return "db" }

func (n node) Traits() chaos.UnitTraits {
	return chaos.UnitTraits{Addr: func() string { return n.addr }}
}

func newNode(t *testing.T, i int, says string) node {
	var asked atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		switch says[min(int(asked.Add(1))-1, len(says)-1)] {
		case 'L':
			fmt.Fprint(w, `{"role": "leader"}`)
		case 'F':
			fmt.Fprint(w, `{"role": "follower"}`)
		default:
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(s.Close)
	return node{name: fmt.Sprintf("db[%d]", i), addr: strings.TrimPrefix(s.URL, "http://")}
}

// TestCountReading: units that say yes count, those that lead only in one of two questions do not, and those without an
// answer are told.
func TestCountReading(t *testing.T) {
	const silent = "1 of 1 times a unit gave no answer, and did not count; the last time db[0]: "
	for _, c := range []struct {
		name   string
		says   []string // by unit
		want   float64  // negative: there is no value
		missed string
	}{
		{"one leads", []string{"L", "F", "F"}, 1, ""},
		{"none leads", []string{"F", "F", "F"}, 0, ""},
		{"two lead", []string{"L", "F", "L"}, 2, ""},
		{"all lead", []string{"L", "L", "L"}, 3, ""},
		{"the role passed on meanwhile", []string{"LF", "L", "F"}, 1, ""},
		{"a second leader falls silent", []string{"Lx", "L", "F"}, 1, silent},
		{"a silent one", []string{"x", "L", "F"}, 1, silent},
		{"all silent", []string{"x", "x", "x"}, -1, "the last time db[2]: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := new(probe.Watch)
			decoded(t, `{path: /role, check: {"$.role": leader}, count: true}`, w, w.Check)
			var units []chaos.Unit
			for i, says := range c.says {
				units = append(units, newNode(t, i, says))
			}
			r := w.Counting(units, chaos.Host{})
			got, err := r.Read(t.Context())
			if (err != nil) != (c.want < 0) || err == nil && (len(got) != 1 || got[0].V != c.want || got[0].Labels != nil) {
				t.Errorf("%+v, %v, want %v", got, err, c.want)
			}
			if missed := r.Missed(); (missed == "") != (c.missed == "") || !strings.Contains(missed, c.missed) {
				t.Errorf("%q, want %q", missed, c.missed)
			}
		})
	}
}
