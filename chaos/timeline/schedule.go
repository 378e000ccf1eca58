package timeline

import (
	"math/rand/v2"
	"time"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/slo"
)

// An Entry of the timeline is a fault with its times.
type Entry struct {
	scenarios.Fault
	Kind   string
	Damage chaos.Fault
	Detect chaos.Monitoring // the team's monitoring; nil if it is not asked
	From   time.Duration    // begin of the stage that `during` names
	To     time.Duration
	Seed   uint64 // of the jitter of its occurrences
}

// sinceInjection is the value of `from` with which a fault counts its time from the injection of another.
const sinceInjection = "injection"

// OneShot reports whether the fault is over once it is injected.
func (e *Entry) OneShot() bool {
	return e.Traits(chaos.Scope{}).OneShot
}

// Traits returns the traits of the fault; zero if its kind is unknown.
func (e *Entry) Traits(sc chaos.Scope) chaos.Traits {
	if e.Damage == nil {
		return chaos.Traits{}
	}
	return e.Damage.Traits(sc)
}

// Nature returns what faults of its kind do; zero if its kind is unknown, and for a group.
func (e *Entry) Nature() scenarios.Nature { return chaos.NatureOf(e.Damage) }

// choice returns the note of the units that an occurrence picks. If the fault hits all units, a later plan picks again,
// so that it also hits units which joined.
func (e *Entry) choice() *chaos.Choice {
	t := e.Traits(chaos.Scope{})
	return &chaos.Choice{Again: !t.Follows || !t.All}
}

// A Planned is one occurrence of a fault: its offset from the begin of the entry, and its duration.
type Planned struct {
	Name   string
	Offset time.Duration
	For    time.Duration // zero for a one-shot
	Drawn  time.Duration // part of the offset that jitter drew
}

// begin returns when the entry's first occurrence is due. relative says that the time counts from the
// end of another fault, or from its injection.
func (e *Entry) begin() (at time.Duration, relative bool) {
	switch {
	case e.After != "":
		return e.Wait.D(), true
	case e.Trigger != "":
		return e.Wait.D(), false // from the moment of the trigger
	case e.During != "":
		return e.From + e.Wait.D(), false
	case e.At != nil:
		return e.At.D() + e.Wait.D(), false
	}
	return 0, false
}

// Stays returns how long one occurrence, or a whole pulse, stays injected.
func (e *Entry) Stays() time.Duration {
	switch {
	case e.OneShot():
		return 0
	case e.For > 0:
		return e.For.D()
	case e.During != "":
		return max(0, e.To-e.From-e.Wait.D())
	}
	return 0
}

// maxOccurrences bounds the occurrences of one entry.
const maxOccurrences = 1000

// Occurrences lists the occurrences of an entry that begins at begin, for a load that ends at end. Without `repeat`
// those are listed that fit into the load, and always the first one: whoever asks then sees that it does not fit.
func (e *Entry) Occurrences(begin, end time.Duration) []Planned {
	var out []Planned
	add := func(offset, stays time.Duration) {
		out = append(out, Planned{Name: e.Name, Offset: offset, For: stays})
	}
	switch {
	case e.Pulse != nil:
		on, off := e.Pulse.On.D(), e.Pulse.Off.D()
		for t := time.Duration(0); t < e.Stays() && len(out) < maxOccurrences; t += on + off {
			add(t, min(on, e.Stays()-t))
		}
	case e.Every > 0:
		for i := 0; len(out) < maxOccurrences; i++ {
			t := time.Duration(i) * e.Every.D()
			latest := begin + t + e.Jitter.D()
			fits := latest < end && latest+e.Stays() <= end
			if e.Repeat > 0 && i >= e.Repeat || e.Repeat == 0 && i > 0 && !fits {
				break
			}
			drawn := e.drawn(i)
			add(t+drawn, e.Stays())
			out[i].Drawn = drawn
		}
	default:
		add(0, e.Stays())
	}
	if len(out) > 1 {
		for i := range out {
			out[i].Name = slo.Phase{Kind: slo.FaultPhase, Fault: e.Name, Occurrence: i + 1}.String()
		}
	}
	return out
}

// drawn returns by how much later than planned occurrence i, from 0, comes by jitter, in whole milliseconds.
func (e *Entry) drawn(i int) time.Duration {
	if e.Jitter <= 0 {
		return 0
	}
	share := rand.New(rand.NewPCG(e.Seed, uint64(i))).Float64()
	return time.Duration(share * float64(e.Jitter.D())).Truncate(time.Millisecond)
}

// WithinOr returns the time within which the unit of a one-shot must be healthy again.
func (e *Entry) WithinOr() time.Duration {
	if e.Within > 0 {
		return e.Within.D()
	}
	return scenarios.DefaultWithin
}

// leastPhase is the shortest phase of a one-shot, unless its next occurrence comes earlier.
const leastPhase = 5 * time.Second

// Estimated is a forecast occurrence.
type Estimated struct {
	Entry *Entry
	Name  string
	At    time.Duration // offset from t0
	Clear time.Duration // when it is expected to be over
	Rough bool          // it follows a fault whose end is not known in advance
	Drawn time.Duration // part of At that jitter drew
	Spare time.Duration // by how much later it may come with another seed
}

// Phase returns the phase of the occurrence, from its injection to its clearing.
func (e *Estimated) Phase() slo.Phase { return slo.ParseOccurrence(e.Name) }

// Estimate forecasts the timeline: every occurrence with its times, in the order of the entries. A
// one-shot is expected to end after its least phase, or when its next occurrence comes; a longer
// recovery is not forecast. A fault that waits for an operator is expected at the end of that wait.
func Estimate(entries []*Entry, end time.Duration) []Estimated {
	type instant struct {
		at    time.Duration
		rough bool
	}
	begun, cleared := map[string]instant{}, map[string]instant{}
	done := map[string]bool{}
	var out []Estimated
	for range entries { // once per entry, because a fault may follow one that is listed below it
		for _, e := range entries {
			begin, relative := e.begin()
			if done[e.Name] || relative && !done[e.After] || e.Trigger != "" { // a script's trigger has no known time
				continue
			}
			done[e.Name] = true
			var from instant
			if relative {
				from = cleared[e.After]
				if e.Since == sinceInjection {
					from = begun[e.After]
				}
				begin += from.at
			}
			if e.Wait.ForOperator() {
				begin, from.rough = begin+e.Wait.AtMost.D(), true
			}
			begun[e.Name] = instant{begin, from.rough}
			over := instant{rough: from.rough || e.OneShot()}
			all := e.Occurrences(begin, end)
			for i, p := range all {
				est := Estimated{Entry: e, Name: p.Name, At: begin + p.Offset, Clear: begin + p.Offset + p.For, Rough: from.rough}
				if e.Every > 0 {
					est.Drawn, est.Spare = p.Drawn, e.Jitter.D()-p.Drawn
				}
				if e.OneShot() {
					est.Clear = est.At + e.LastStep() + leastPhase
					if i+1 < len(all) {
						est.Clear = min(est.Clear, begin+all[i+1].Offset)
					}
				}
				over.at = max(over.at, est.Clear)
				out = append(out, est)
			}
			cleared[e.Name] = over
		}
	}
	return out
}
