package scenarios

import "slices"

// A Nature is what a fault of a kind does to the units or links that it acts on, whatever its settings. The kind's
// descriptor states it, and each record of a fault carries it. So nothing that tells of a fault keeps a list of kinds.
type Nature struct {
	// one word for its effect, such as dies or slow; empty: only the author of the scenario knows, or it is a group
	Effect string `json:"effect,omitempty" mask:"-"`
	// what it does to its units or links, after "was", such as frozen; "died" stands alone. Empty: its proof does not
	// show that the units suffered
	Verb string `json:"verb,omitempty" mask:"-"`
	// verb where it acts on links, if that differs
	LinkVerb string `json:"link_verb,omitempty" mask:"-"`
	Deeds    []Deed `json:"deeds,omitempty" mask:"-"` // what follows for those that need its units or links
	// the setting that states how its effect is seen, such as verify; empty: the kind itself knows
	Check string `json:"check,omitempty" mask:"-"`
}

// A Deed is one thing that a fault does to its units or links, as far as it matters to those that need them.
type Deed string

// The deeds of faults.
const (
	Own       Deed = "own"       // its author alone knows what it does, and to which units
	Ends      Deed = "ends"      // it ends processes, containers or pods itself
	Down      Deed = "down"      // a unit does not run, or stands still
	Severs    Deed = "severs"    // nothing passes to its units or through its links
	Silent    Deed = "silent"    // connections stay open to a peer that does not answer
	Mute      Deed = "mute"      // a unit or link answers nothing
	Deaf      Deed = "deaf"      // a unit does not accept the connections that others open to it
	Memory    Deed = "memory"    // a unit lacks memory, and may be killed for it
	Processor Deed = "processor" // a unit lacks processor time
	Refuses   Deed = "refuses"   // a link answers with an error in place of the target
)

// Deeds lists all deeds.
func Deeds() []Deed {
	return []Deed{Own, Ends, Down, Severs, Silent, Mute, Deaf, Memory, Processor, Refuses}
}

// Does reports whether a fault does one of some things.
func (n Nature) Does(any ...Deed) bool {
	return slices.ContainsFunc(any, func(d Deed) bool { return slices.Contains(n.Deeds, d) })
}

// Away reports whether others have to do without the units or links of a fault while it is in.
func (n Nature) Away() bool { return n.Does(Down, Severs) }
