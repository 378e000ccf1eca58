package ci

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"brunt/reporters"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

// JUnit writes junit.xml for CI systems: a test case for each objective and a case for the verdict of the run. A
// failed objective is a failure. An objective that could not be judged is an error, and so is each failed objective
// of an invalid run. An objective that held has its figures as output. Incidents are properties. The text is both in
// the body and in the message, because some readers show only one of them. Names are unique, because some readers
// keep one case per name.
type JUnit struct{}

var _ reporters.Reporter = JUnit{}

// JUnitFile is the name of the file.
const JUnitFile = "junit.xml"

type junitSuites struct {
	XMLName  xml.Name   `xml:"testsuites"`
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Errors   int        `xml:"errors,attr"`
	Time     string     `xml:"time,attr"`
	Suite    junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"`
	Timestamp  string          `xml:"timestamp,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
	Out        string          `xml:"system-out,omitempty"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitProblem `xml:"failure"`
	Error   *junitProblem `xml:"error"`
	Skipped *junitProblem `xml:"skipped"`
	Out     string        `xml:"system-out,omitempty"` // of a case that passed
}

type junitProblem struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Body    string `xml:",chardata"`
}

func (JUnit) Format() reporters.Format {
	return reporters.Format{
		Name: "junit", File: JUnitFile,
		About: "A test case for each objective and one for the verdict, for CI systems that read JUnit's XML.",
	}
}

func (JUnit) Report(w io.Writer, r *result.Result) error {
	s := junitSuite{Name: words.Clean(r.Name), Time: decimal(r.Duration), Timestamp: r.Started.UTC().Format(time.RFC3339)}
	s.Properties = []junitProperty{
		{"run", words.Clean(r.Run)},
		{"seed", fmt.Sprint(r.Seed)},
		{"verdict", words.Clean(string(r.Verdict))},
		{"exit_code", fmt.Sprint(r.ExitCode)},
		{"brunt", words.Clean(r.Environment.Brunt)},
	}
	for _, name := range r.Meta.Keys() {
		s.Properties = append(s.Properties, junitProperty{"meta." + words.Clean(name), words.Clean(r.Meta[name])})
	}
	if h := words.Hypothesis(r); h != "" {
		s.Properties = append(s.Properties, junitProperty{"hypothesis", strings.TrimPrefix(h, "Hypothesis: ")})
	}
	for i := range r.Incidents {
		s.Properties = append(s.Properties, junitProperty{
			fmt.Sprintf("incident.%d", i+1), words.IncidentText(r, &r.Incidents[i]),
		})
	}
	names := map[string]int{}
	add := func(name string, v scenarios.Verdict, message, body string) {
		c := junitCase{Class: "brunt." + strings.ReplaceAll(s.Name, ".", "_"), Name: name, Time: "0"}
		if names[name]++; names[name] > 1 {
			c.Name = fmt.Sprintf("%s (%d)", name, names[name])
		}
		p := &junitProblem{Message: message, Type: words.Clean(string(v)), Body: body}
		switch v {
		case scenarios.Pass:
			c.Out = body
		case scenarios.None:
			if r.ExitCode != scenarios.ExitPass {
				c.Failure = p
			}
		case scenarios.Fail, scenarios.Regression:
			if r.Verdict == scenarios.Invalid { // a failure in an invalid run does not show a failure of the target
				c.Error = p
				break
			}
			c.Failure = p
		default:
			c.Error = p
		}
		s.Cases = append(s.Cases, c)
	}
	answer := words.AnswerOf(r)
	verdict := fmt.Sprintf("%s: %s", words.RunVerdict(r), answer.Line())
	body := append([]string{verdict, syntax.Sentence(words.Meaning(r))}, answer.Because()...)
	add("verdict", r.Verdict, verdict, strings.Join(body, "\n"))
	for i := range r.Objectives {
		o := &r.Objectives[i]
		message := fmt.Sprintf("%s: measured %s, target %s", words.Verdict(o.Verdict), words.ObjectiveMeasured(o),
			words.ObjectiveTarget(o))
		if m := words.MarginOf(o); m.Kind == words.MarginOver || m.Kind == words.MarginLeft {
			message += ", " + m.Text
		}
		if note := words.ObjectiveNote(o); note != "" {
			if why := words.AbsentWhy(r, o); why != "" {
				note += ": " + why
			}
			message += " (" + note + ")"
		}
		add(words.ObjectiveTitle(o), o.Verdict, message, message+"\n"+strings.Join(details(o), "\n"))
	}
	s.Out += faultLines(r.Faults)
	for _, l := range r.AllLedgers() {
		s.Out += "ledger: " + words.LedgerHeadline(l) + ". " + words.LedgerText(l) + "\n"
		for i := range l.Keys {
			s.Out += "  " + strings.Join(words.LedgerRow(&l.Keys[i]), "  ") + "\n"
		}
	}
	for _, c := range r.Consistency {
		s.Out += "consistency: " + words.ConsistencyHeadline(c) + ". " + words.ConsistencyText(c) + "\n"
	}
	for _, d := range r.Deliveries {
		s.Out += "delivery " + words.DeliveryHeadline(d) + ". " + words.DeliveryText(d) + "\n"
		for i := range d.Keys {
			s.Out += "  " + strings.Join(words.DeliveryRow(&d.Keys[i]), "  ") + "\n"
		}
	}
	for _, n := range r.Notes {
		s.Out += "note: " + words.Clean(n) + "\n"
	}
	return s.write(w)
}

// write writes the file of the suite.
func (s *junitSuite) write(w io.Writer) error {
	s.Tests = len(s.Cases)
	for i := range s.Cases {
		switch c := &s.Cases[i]; {
		case c.Failure != nil:
			s.Failures++
		case c.Error != nil:
			s.Errors++
		case c.Skipped != nil:
			s.Skipped++
		}
	}
	all := junitSuites{Name: s.Name, Tests: s.Tests, Failures: s.Failures, Errors: s.Errors, Time: s.Time, Suite: *s}
	b, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, xml.Header+string(b)+"\n")
	return err
}

// faultLines describes the faults and the steps of groups, one per line.
func faultLines(list []result.FaultRecord) string {
	var out strings.Builder
	for i := range list {
		f := &list[i]
		fmt.Fprintf(&out, "fault %s: %s; %s. %s %s\n", words.Clean(f.Name), words.FaultTarget(f), words.FaultSpan(f),
			words.FaultEffect(f),
			syntax.Sentence(words.FaultRevert(f)))
		for _, said := range []string{words.FaultExpected(f), tookEffect(f)} {
			if said != "" {
				fmt.Fprintf(&out, "  %s\n", said)
			}
		}
		for _, step := range words.FaultSteps(f) {
			fmt.Fprintf(&out, "  step %s: %s\n", step.Name, step.Value)
		}
	}
	return out.String()
}

// details returns the lines that describe an objective in full.
func details(o *result.ObjectiveResult) []string {
	lines := []string{"objective: " + words.ObjectiveTitle(o), "phase: " + words.Clean(o.Phase.String())}
	if b := words.ObjectiveBounds(o); b != "" {
		lines = append(lines, b)
	}
	if !o.Of().OfFault() {
		lines = append(lines, "count: "+fmt.Sprint(o.Count))
	}
	return lines
}

func decimal(n result.Num) string {
	if !n.Known() {
		return "0"
	}
	return fmt.Sprintf("%.3f", float64(n))
}
