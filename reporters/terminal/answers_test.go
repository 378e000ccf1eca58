package terminal_test

import (
	"strings"
	"testing"

	"brunt/reporters/terminal"
	"brunt/scenarios/result"
)

func TestAnswers(t *testing.T) {
	var b strings.Builder
	terminal.Answers(&b, &result.Result{Errors: []result.ErrorGroup{
		{Kind: "status 404", Step: "read", Sample: &result.Sample{
			Request: "GET /x", Body: "no such\npath\x1b[31m", Curl: "curl -i \\\n  /x",
		}},
		{Kind: "timeout", Step: "write"},
	}})
	if got, want := b.String(),
		"\nread, GET /x: status 404\n  | no such\n  | path\\x1b[31m\n  curl -i \\\n    /x\n"; got != want {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
}
