package scenarios

import (
	"fmt"
	"strconv"
)

// A Cause says why a request is an error. Below [Status] it is one of a fixed list; above, its high bits are a family
// and its low bits a number: the status, the number of the check, or what a [CauseFamily] counts.
type Cause uint32

const (
	NoCause         Cause = iota // of a request that is ok
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
	NoSocket                     // this machine has no more files or memory
	Redirects                    // more redirects than the step allows
	GraphQLErrors                // the answer contained errors of GraphQL
	Stream                       // not an event stream, or it ended before the expected events
	Other                        // none of these; the sample has the error
	NoPort                       // the ports of this machine's source addresses are used up
	ProxyRefused                 // the proxy refused the connection
	Dropped                      // an iteration of a script for which no virtual user was free
	Exception                    // an iteration of a script that ended with an exception
	Unsent                       // the timeout passed before brunt was ready to send: brunt's own lag used it up
	Panicked                     // what the server sent made the code that reads it panic
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
	"panic",
}

// Status is the cause of an answer whose status the step does not accept.
func Status(code int) Cause { return statusCause | Cause(code&0xffff) }

// Check is the cause of a failed check; n is its number in the plan.
func Check(n int) Cause { return checkCause | Cause(n&0xffff) }

// Extraction is the cause of an extraction that found nothing; n is its number in
// the plan.
func Extraction(n int) Cause { return extractionCause | Cause(n&0xffff) }

// family returns the cause without a number of 16 bits.
func (c Cause) family() Cause { return c &^ 0xffff }

// Own reports whether brunt or its machine failed, and not the target.
func (c Cause) Own() bool { return c == NoSocket || c == NoPort || c == Unsent } // as OwnCauses

// OfAnswer reports whether the cause is what was answered: its status, an error, or a check or an extraction of it.
func (c Cause) OfAnswer() bool { return c >= statusCause || c == GraphQLErrors }

// IsCheck reports whether a check failed.
func (c Cause) IsCheck() bool { return c.family() == checkCause }

// IsExtraction reports whether an extraction found nothing.
func (c Cause) IsExtraction() bool { return c.family() == extractionCause }

// OwnCauses lists the causes that are [Cause.Own].
func OwnCauses() []Cause { return []Cause{NoSocket, NoPort, Unsent} }

// CauseNames lists the causes of errors that are no answer, as result.json names them.
func CauseNames() []string { return causeNames[1:] }

// String returns a cause of the fixed list or a status as result.json names it. [Causes.Name] names the others, which
// are a number here.
func (c Cause) String() string {
	switch {
	case c < fixedCauses:
		return causeNames[c]
	case c.family() == statusCause:
		return "status " + strconv.Itoa(int(c&0xffff))
	}
	return fmt.Sprintf("cause %#x", uint32(c))
}

// A CauseFamily is the causes of one kind of answers, such as the errors of a database. The descriptor of a protocol
// brings those of its own.
type CauseFamily struct {
	// First is the cause of the number 0: at least [FirstFamily], a multiple of 1<<Bits, and no cause of another family.
	// Files of requests carry causes as numbers, so that it never changes, nor does what a number stands for.
	First Cause
	Bits  int                       // of a number; zero is 16
	Name  func(number int32) string // of a cause, as result.json has it, such as "error 1213"
}

// bits returns the bits of a number.
func (f CauseFamily) bits() int {
	if f.Bits == 0 {
		return 16
	}
	return f.Bits
}

// Cause returns the cause with a number, of which it takes the low Bits.
func (f CauseFamily) Cause(number int32) Cause { return f.First | Cause(number)&(1<<f.bits()-1) }

// Has reports whether a cause is of the family.
func (f CauseFamily) Has(c Cause) bool { return c>>f.bits() == f.First>>f.bits() }

// Causes name the causes of a run.
type Causes struct {
	Checks   []string      // checks and extractions, by their numbers in the plan
	Families []CauseFamily // of its protocols
}

// Name returns a cause as result.json names it. A cause of a family that is not among Families is "other".
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

// check returns the name of a check or an extraction; one without a name has its number.
func (n Causes) check(number int) string {
	if number < len(n.Checks) {
		return n.Checks[number]
	}
	return strconv.Itoa(number)
}
