package ci

import (
	"io"

	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
)

// A Case is one of several runs, such as a drill.
type Case struct {
	Name    string
	Verdict scenarios.Verdict // empty: it was not run
	Text    string            // the reason, in a sentence
	Seconds float64           // how long it took
}

// WriteCases writes a JUnit suite with a case for each run. A run that was not made is skipped. A run without a clear
// outcome is an error.
func WriteCases(w io.Writer, name string, cases []Case) error {
	s := junitSuite{Name: words.Clean(name)}
	total := 0.
	for _, one := range cases {
		c := junitCase{Class: "brunt.drills", Name: words.Clean(one.Name), Time: decimal(result.Num(one.Seconds))}
		total += one.Seconds
		p := &junitProblem{
			Message: words.Clean(one.Text), Type: words.Clean(string(one.Verdict)), Body: words.Clean(one.Text),
		}
		switch one.Verdict {
		case "":
			c.Skipped = p
		case scenarios.Pass:
			c.Out = p.Body
		case scenarios.Fail, scenarios.Stopped, scenarios.NotReverted:
			c.Failure = p
		default:
			c.Error = p
		}
		s.Cases = append(s.Cases, c)
	}
	s.Time = decimal(result.Num(total))
	return s.write(w)
}
