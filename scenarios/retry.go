package scenarios

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// A RetryPolicy says how the users of a load repeat a failed request. All attempts count as one request: its response
// time runs from the intended time of the first attempt to the end of the last, and its outcome is the outcome of the
// last.
type RetryPolicy struct {
	syntax.Place
	Times int `yaml:"times,required,min=1,max=100"` // maximum number of further attempts
	// the results that are repeated: unanswered, a status such as 503, a class such as 5xx, shed, error, or an error
	// by its name in reports, such as status UNAVAILABLE; zero is unanswered and 5xx
	On []RetryOn `yaml:"on"`
	// pause before the second attempt; it doubles before each further attempt; zero is no pause
	Backoff    quantity.Duration `yaml:"backoff"`
	MaxBackoff quantity.Duration `yaml:"max_backoff,positive"` // longest pause; zero is 10s
	// each pause is shortened at random by up to this share of itself; zero is none
	Jitter quantity.Share `yaml:"jitter,min=0,max=1"`
	// timeout of each attempt; zero is the rest of the request's timeout, so that an unanswered request is not
	// repeated
	Timeout quantity.Duration `yaml:"timeout,positive"`
}

// RetryOn is a result that is repeated: unanswered, shed, error, a status, a class of statuses, or the name of a
// cause.
type RetryOn struct {
	Text string
	Pos  syntax.Pos
}

// The results that a policy repeats, besides statuses and names of causes.
const (
	RetryUnanswered = "unanswered" // no answer came: the connection failed, or the timeout of an attempt passed
	RetryShed       = "shed"       // the target refused the request, as the step allows
	RetryError      = "error"      // any error of the target
)

// words lists the results that a policy repeats, besides single statuses and names of causes.
func words() []string { return []string{RetryUnanswered, "5xx", RetryShed, RetryError} }

// Ons returns On with its default.
func (p *RetryPolicy) Ons() []RetryOn {
	if len(p.On) == 0 {
		return []RetryOn{{Text: RetryUnanswered}, {Text: "5xx"}}
	}
	return p.On
}

const defaultMaxBackoff = 10 * time.Second

// MostBackoff returns the longest pause, with its default.
func (p *RetryPolicy) MostBackoff() time.Duration {
	if p.MaxBackoff == 0 {
		return defaultMaxBackoff
	}
	return p.MaxBackoff.D()
}

// Status returns the status that on names, or the first digit of its class of statuses. Each is 0 if on does not name
// one.
func (on RetryOn) Status() (status, class int) {
	if digit, found := strings.CutSuffix(on.Text, "xx"); found && len(digit) == 1 && digit >= "1" && digit <= "5" {
		return 0, int(digit[0] - '0')
	}
	if n, err := strconv.Atoi(on.Text); err == nil {
		return n, 0
	}
	return 0, 0
}

// Check checks that the parts of a policy fit each other and the timeout of a request. causes lists the names of
// errors in reports.
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
