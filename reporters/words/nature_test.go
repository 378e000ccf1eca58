package words

import (
	"strings"
	"testing"

	"brunt/reporters/reporterstest"
	"brunt/scenarios"
	"brunt/scenarios/result"
)

// answerOf is AnswerOf of a result whose faults have the natures of their kinds.
func answerOf(r *result.Result) *Answer { return AnswerOf(reporterstest.Natured(r)) }

// TestNature_OfAnyKind: a kind that no reporter knows is told by its nature alone.
func TestNature_OfAnyKind(t *testing.T) {
	r := onNginx(t)
	f := &r.Faults[0]
	f.Kind, f.Nature = "toy.bury", scenarios.Nature{Verb: "buried", Deeds: []scenarios.Deed{scenarios.Down}}
	if got := faultClause(r, f).String(); !strings.HasSuffix(got, " was buried") {
		t.Errorf("%q", got)
	}
	if got := whatIsBack(f); got != "redis was back" {
		t.Errorf("%q", got)
	}
	if a := AnswerOf(r); !strings.Contains(a.Sentence.String(), "buried") {
		t.Errorf("%q", a.Sentence.String())
	}
}
