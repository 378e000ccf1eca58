package register

import (
	"math"
	"time"
)

// A Kind says what an operation did.
type Kind uint8

const (
	Read     Kind = iota // returned a value
	Write                // wrote a value, and was acknowledged
	Unknown              // was to write a value, and it is unknown whether it did
	Refused              // was to write a value, and was answered that it did not
	Repeated             // was sent several times, so its effect may have come more than once; its value is left out
)

// An Op is an operation on a register, with its times on one clock.
type Op struct {
	Register int32 // number of the register, from 0
	// number of the value, from 1. No value belongs to two registers. 0 means that a read found no value
	Value int32
	// of a compare-and-set, the value that the register must have for the write to have an effect; 0 for other operations
	Expects int32
	Session int32 // the client; a client makes one operation after the other
	Kind    Kind
	Call    time.Duration // when it began
	End     time.Duration // when its answer was received; for an unknown write, when it was given up
}

// The ends of time.
const (
	never   = time.Duration(math.MaxInt64)
	forever = time.Duration(math.MinInt64) // before the first operation
)

// precedes reports whether an operation ended before another began, so that it took effect before it.
func (o *Op) precedes(p *Op) bool { return o.end() < p.Call }

// end returns when the operation had taken effect at the latest.
func (o *Op) end() time.Duration {
	if o.Kind == Unknown {
		return never
	}
	return o.End
}
