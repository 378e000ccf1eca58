package html

import (
	"strings"
	"testing"

	"brunt/scenarios/result/programme"
)

// TestProgrammePage_Links: the name of a link stays on one line, and text stays text.
func TestProgrammePage_Links(t *testing.T) {
	var b strings.Builder
	err := ProgrammePage{Programme: &programme.Programme{Untried: []programme.Untried{{
		System: "shop", Parts: []programme.UntriedPart{
			{Name: "posts->store[0]", Effects: []string{"slow"}}, {Name: "<b>", Effects: []string{"cut"}},
		},
	}}}}.Report(&b)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<span class="link">posts-&gt;store[0]</span>: `, "&lt;b&gt;: "} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}
