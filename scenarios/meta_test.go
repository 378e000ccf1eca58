package scenarios_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"brunt/scenarios"
)

func TestMeta(t *testing.T) {
	t.Setenv("MY_TICKET", "OPS-secret-9")
	file := func(meta string) func(string) ([]byte, error) {
		return func(string) ([]byte, error) {
			return []byte(okYAML + "params: {who: ann}\n" + meta), nil
		}
	}
	for _, c := range []struct {
		name, meta string
		set, said  map[string]string
		want       string
	}{
		{"nothing", "", nil, nil, ""},
		{
			"the file",
			"meta: {zone: b, closes: [A-1, 7], operator: '${who}', approver: bob, ticket: '${env.MY_TICKET}', empty: ''}",
			map[string]string{"who": "eve"},
			nil, "operator=eve approver=bob ticket=*** closes=A-1, 7 zone=b",
		},
		{
			"the command line over it", "meta: {operator: ann, ticket: OPS-7}", nil,
			map[string]string{"operator": "bob", "closes": "A-1"},
			"operator=bob ticket=OPS-7 closes=A-1",
		},
		{"the command line alone", "", nil, map[string]string{"a-b": "x y: {z"}, "a-b=x y: {z"},
		{"over an empty one", "meta:", nil, map[string]string{"ticket": "1"}, "ticket=1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sc, err := scenarios.Parse("s.yaml", scenarios.Options{Read: file(c.meta), Set: c.set, Meta: c.said})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, k := range sc.Meta.Keys() {
				got = append(got, k+"="+sc.Meta[k])
			}
			if text := strings.Join(got, " "); text != c.want {
				t.Errorf("got %q, want %q", text, c.want)
			}
			plain, err := scenarios.Parse("s.yaml", scenarios.Options{Read: file("")})
			if err != nil {
				t.Fatal(err)
			}
			if sc.Sum() != plain.Sum() || !slices.Equal(sc.Settings(), plain.Settings()) {
				t.Error("meta counts as a part of what is done")
			}
			again, err := scenarios.Parse("s.yaml",
				scenarios.Options{Read: func(string) ([]byte, error) { return []byte(sc.Explain()), nil }})
			if err != nil || c.set == nil && fmt.Sprint(again.Meta) != fmt.Sprint(sc.Meta) {
				t.Errorf("explained and read again: %v, %v\n%s", again.Meta, err, sc.Explain())
			}
		})
	}
	if _, err := scenarios.Parse("s.yaml", scenarios.Options{
		Read: file(""), Meta: map[string]string{"aprover": "x"},
	}); err == nil ||
		!strings.Contains(err.Error(), "--meta aprover") || !strings.Contains(err.Error(), `"approver"`) {
		t.Errorf("a misspelt name: %v", err)
	}
	if _, err := scenarios.Parse("s.yaml", scenarios.Options{
		Read: file("meta: ann"), Meta: map[string]string{"ticket": "x"},
	}); err == nil {
		t.Error("a meta that is not a map is taken")
	}
}
