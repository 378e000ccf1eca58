package toxics

import (
	"bytes"
	"errors"
	"time"

	"brunt/chaos/proxy"
	"brunt/chaos/seed"
)

// Datagrams hits a share of the datagrams of UDP on a link. Connections of TCP on the same link are not affected: their
// systems repair all of this.
type Datagrams struct {
	Do        Damage
	Share     float64         // of the datagrams, from 0 to 1, each drawn by its number
	Delay     time.Duration   // of those that Reorder hits
	Direction proxy.Direction // zero is Forward: a round trip is hit once
}

// A Damage is what happens to a datagram.
type Damage uint8

const (
	Lose      Damage = iota // it does not arrive
	Duplicate               // it arrives twice
	Reorder                 // it arrives later than those after it
	Corrupt                 // it arrives with one bit flipped
)

func (t Datagrams) Check(bool) error {
	var errs []error
	if t.Do > Corrupt {
		errs = append(errs, errors.New("the damage must be Lose, Duplicate, Reorder or Corrupt"))
	}
	if t.Do == Reorder && t.Delay <= 0 {
		errs = append(errs, errors.New("reordering needs a delay"))
	}
	return errors.Join(append(errs, checkShare(t.Share), t.Direction.Check())...)
}

func (t Datagrams) Begin() proxy.Effect {
	return proxy.Effect{Datagrams: func(s proxy.Point) proxy.DatagramEffect {
		if !t.Direction.Or(proxy.Forward).Has(s.Direction) {
			return nil
		}
		n := uint64(0)
		return func(b []byte, at time.Time, pass func([]byte, time.Time)) bool {
			n++
			if !seed.Chosen(t.Share, s.Seed, n) {
				pass(b, at)
				return false
			}
			switch t.Do {
			case Duplicate:
				pass(b, at)
				pass(b, at)
			case Reorder:
				pass(b, at.Add(t.Delay))
			case Corrupt:
				b = bytes.Clone(b)
				if len(b) > 0 {
					bit := seed.Mix(s.Seed, n, 1) % uint64(8*len(b))
					b[bit/8] ^= 1 << (bit % 8)
				}
				pass(b, at)
			}
			return true
		}
	}}
}
