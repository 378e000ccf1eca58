package scenarios

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// A RetryPolicy says how the users of a load repeat a request that failed. All attempts are one request: its response
// time goes from the first intended instant to the end of the last attempt, and its outcome is that of the last.
type RetryPolicy struct {
	syntax.Place
	Times int `yaml:"times,required,min=1,max=100"` // further attempts, at most
	// what is repeated: unanswered, 5xx, 503, shed, error, or an error by its name in reports, such as status UNAVAILABLE;
	// zero is unanswered and 5xx
	On []RetryOn `yaml:"on"`
	// pause before the second attempt, which doubles before each further one; zero is none
	Backoff    quantity.Duration `yaml:"backoff"`
	MaxBackoff quantity.Duration `yaml:"max_backoff,positive"` // longest pause; zero is 10s
	// by how much of itself each pause is shortened, drawn at random up to this share; zero is none
	Jitter quantity.Share `yaml:"jitter,min=0,max=1"`
	// of each attempt; zero is what is left of the request's timeout, so that a request without an answer is not repeated
	Timeout quantity.Duration `yaml:"timeout,positive"`
}

// RetryOn is something that is repeated: unanswered, shed, error, a status or a class of them, or the name of a cause.
type RetryOn struct {
	Text string
	Pos  syntax.Pos
}

// What a policy repeats, besides statuses and the names of causes.
const (
	RetryUnanswered = "unanswered" // no answer came: the connection failed, or the timeout of an attempt passed
	RetryShed       = "shed"       // the target refused the request, as the step allows
	RetryError      = "error"      // any error of the target
)

// words lists what a policy repeats, besides single statuses and the names of causes.
func words() []string { return []string{RetryUnanswered, "5xx", RetryShed, RetryError} }

// Ons returns what the policy repeats.
func (p *RetryPolicy) Ons() []RetryOn {
	if len(p.On) == 0 {
		return []RetryOn{{Text: RetryUnanswered}, {Text: "5xx"}}
	}
	return p.On
}

const defaultMaxBackoff = 10 * time.Second

// MostBackoff is the longest pause.
func (p *RetryPolicy) MostBackoff() time.Duration {
	if p.MaxBackoff == 0 {
		return defaultMaxBackoff
	}
	return p.MaxBackoff.D()
}

// Status returns the status that on is, or the first digit of a class of them; 0: it is none.
func (on RetryOn) Status() (status, class int) {
	if digit, found := strings.CutSuffix(on.Text, "xx"); found && len(digit) == 1 && digit >= "1" && digit <= "5" {
		return 0, int(digit[0] - '0')
	}
	if n, err := strconv.Atoi(on.Text); err == nil {
		return n, 0
	}
	return 0, 0
}

// Check checks that the parts of a policy fit each other and the timeout of a request. Causes are the names that errors
// have in reports.
func (p *RetryPolicy) Check(timeout time.Duration, causes []string, m *syntax.Mistakes) {
	for _, on := range p.On {
		switch status, class := on.Status(); {
		case class > 0, status >= 100 && status <= 599, slices.Contains(words(), on.Text), slices.Contains(causes, on.Text):
		case status != 0:
			m.AddHint(on.Pos, "such as 503 or 5xx", "%d is no status of HTTP", status)
		case strings.HasPrefix(on.Text, "status "), strings.HasPrefix(on.Text, "error "),
			strings.HasPrefix(on.Text, "close "):
		default:
			m.AddHint(on.Pos, syntax.DidYouMean(on.Text, slices.Concat(words(), causes)), "`on` can't be %q",
				syntax.Clip(on.Text, 40))
		}
	}
	if p.Timeout.D() >= timeout {
		m.AddHint(p.Of("timeout"), "less, or a longer `timeout` of the load, which is "+quantity.FormatDuration(timeout),
			"an attempt may take %s, which leaves no time for another", quantity.FormatDuration(p.Timeout.D()))
	}
	for _, key := range []string{"max_backoff", "jitter"} {
		if p.Has(key) && !p.Has("backoff") {
			m.Add(p.Of(key), "%s is of the pause between attempts, and `backoff` sets none", key)
		}
	}
}

func (on *RetryOn) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	on.Pos = n.Pos
	on.Text, _ = n.Text(m)
}

func (*RetryOn) Schema() syntax.Schema {
	return syntax.Scalar(syntax.Schema{"anyOf": []any{
		syntax.Schema{"type": "integer", "minimum": 100, "maximum": 599},
		syntax.Schema{"type": "string", "pattern": "^([1-5][0-9][0-9]|[1-5]xx|[a-z][a-z ]*|(status|error|close) .+)$"},
	}})
}
