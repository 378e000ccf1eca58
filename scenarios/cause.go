package scenarios

import (
	"fmt"
	"slices"
	"strconv"
)

// A Cause says why a request is an error. The lowest values are the fixed list below. In all other values the high
// bits are a family, and the low bits are a number within it: the status, the number of the check or extraction in
// the plan, or a number of a [CauseFamily].
type Cause uint32

const (
	NoCause         Cause = iota // the request is ok
	Timeout                      // the timeout passed, counted from the intended time
	Refused                      // the connection was refused
	Reset                        // the connection was reset
	Closed                       // the connection was closed before the answer was whole
	Unreachable                  // no route, or no answer to the connection attempt
	NameNotFound                 // DNS has no such name, or did not answer
	TLSFailed                    // the handshake failed
	Protocol                     // the answer is not valid in the protocol
	Unfinished                   // cut off when the run ended
	NotAllowed                   // the address lies outside the blast radius
	NoData                       // unique data is used up, or a variable was never extracted
	NoSocket                     // this machine has no free file descriptors or memory
	Redirects                    // more redirects than the step allows
	GraphQLErrors                // the answer contained GraphQL errors
	Stream                       // the answer is not an event stream, or the stream ended before the expected events
	Other                        // any other error; the sample has its text
	NoPort                       // the ports of this machine's source addresses are used up
	ProxyRefused                 // the proxy refused the connection
	Dropped                      // no virtual user was free for an iteration of a script
	Exception                    // an iteration of a script ended with an exception
	Unsent                       // the timeout passed before brunt was ready to send: brunt's own lag used it up
	Panicked                     // the code that reads the server's answer panicked
	Undelivered                  // what a request sent was not seen in time, see [Delivery]
	TooLarge                     // the answer is larger than brunt reads
	ClosedIdle                   // the server closed the idle connection just as the request was sent
	NoRoom                       // brunt could not hold the answer beside the other answers of that time
	fixedCauses                  // number of causes without a number of their own
	statusCause     Cause = 1 << 16
	checkCause      Cause = 2 << 16
	extractionCause Cause = 3 << 16

	// FirstFamily is the least cause that a [CauseFamily] may have.
	FirstFamily Cause = 4 << 16
)

var causeNames = [fixedCauses]string{
	"", "timeout", "refused", "reset", "closed", "unreachable", "dns", "tls", "protocol", "unfinished", "not allowed",
	"no data",
	"no socket", "redirects", "graphql errors", "stream", "other", "no port", "proxy", "dropped", "exception", "unsent",
	"panic", "undelivered", "too large", "closed while idle",
	"no room",
}

// Status is the cause of an answer whose status the step does not accept.
func Status(code int) Cause { return statusCause | Cause(code&0xffff) }

// Check is the cause of a failed check; n is its number in the plan.
func Check(n int) Cause { return checkCause | Cause(n&0xffff) }

// Extraction is the cause of an extraction that found nothing; n is its number in
// the plan.
func Extraction(n int) Cause { return extractionCause | Cause(n&0xffff) }

// family returns the cause without its low 16 bits, which are the number.
func (c Cause) family() Cause { return c &^ 0xffff }

// Own reports whether brunt or its machine failed rather than the target.
func (c Cause) Own() bool { // keep in step with OwnCauses
	return c == NoSocket || c == NoPort || c == Unsent || c == NoRoom
}

// Waited reports whether brunt waited for an answer, or for a message, until its time was over.
func (c Cause) Waited() bool { return c == Timeout || c == Undelivered }

// OfAnswer reports whether an answer came and is the cause: its status, a failed check or extraction, or an error
// that it contains.
func (c Cause) OfAnswer() bool { return c >= statusCause || c == GraphQLErrors }

// IsCheck reports whether a check failed.
func (c Cause) IsCheck() bool { return c.family() == checkCause }

// IsExtraction reports whether an extraction found nothing.
func (c Cause) IsExtraction() bool { return c.family() == extractionCause }

// OwnCauses lists the causes for which [Cause.Own] is true.
func OwnCauses() []Cause { return []Cause{NoSocket, NoPort, Unsent, NoRoom} }

// CauseNames lists the names of the fixed causes, except [NoCause], as result.json has them.
func CauseNames() []string { return causeNames[1:] }

// String returns the name that result.json has for a fixed cause or a status. It returns other causes as a number;
// [Causes.Name] knows their names.
func (c Cause) String() string {
	switch {
	case c < fixedCauses:
		return causeNames[c]
	case c.family() == statusCause:
		return "status " + strconv.Itoa(int(c&0xffff))
	}
	return fmt.Sprintf("cause %#x", uint32(c))
}

// A CauseFamily is a range of causes for one kind of answer, such as the error codes of a database. The descriptor of
// a protocol lists its families.
type CauseFamily struct {
	// First is the cause with the number 0: at least [FirstFamily], a multiple of 1<<Bits, and outside the ranges of
	// other families. Files of requests store causes as numbers, so First and the meaning of each number never
	// change.
	First Cause
	Bits  int                       // width of a number in bits; zero is 16
	Name  func(number int32) string // the name of a cause in result.json, such as "error 1213"
	// TimedOut is the number of the cause that means what 504 means in HTTP; zero means that the protocol has none. See
	// [Causes.TimedOut].
	TimedOut int32
}

// bits returns Bits with its default.
func (f CauseFamily) bits() int {
	if f.Bits == 0 {
		return 16
	}
	return f.Bits
}

// Cause returns the cause with the low Bits of number.
func (f CauseFamily) Cause(number int32) Cause { return f.First | Cause(number)&(1<<f.bits()-1) }

// Has reports whether c belongs to the family.
func (f CauseFamily) Has(c Cause) bool { return c>>f.bits() == f.First>>f.bits() }

// Causes holds the names of a run's causes.
type Causes struct {
	Checks   []string      // names of checks and extractions, by number in the plan
	Families []CauseFamily // the families of the run's protocols
}

// Name returns the name of a cause in result.json. A cause of an unknown family is "other".
func (n Causes) Name(c Cause) string {
	number := int(c & 0xffff)
	switch c.family() {
	case checkCause:
		return "check " + n.check(number)
	case extractionCause:
		return "extract " + n.check(number)
	}
	for _, f := range n.Families {
		if f.Has(c) {
			return f.Name(int32(c - f.First))
		}
	}
	if c < fixedCauses || c.family() == statusCause {
		return c.String()
	}
	return causeNames[Other]
}

// TimedOut reports whether by a cause a balancer in front of the target, or the target itself, tells that it waited in
// vain: 504 of HTTP, and DEADLINE_EXCEEDED of gRPC.
func (n Causes) TimedOut(c Cause) bool {
	return c == Status(504) || slices.ContainsFunc(n.Families, func(f CauseFamily) bool {
		return f.TimedOut > 0 && c == f.Cause(f.TimedOut)
	})
}

// check returns the name of a check or an extraction, or its number where it has no name.
func (n Causes) check(number int) string {
	if number < len(n.Checks) {
		return n.Checks[number]
	}
	return strconv.Itoa(number)
}
