package compare

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"brunt/scenarios/syntax"
)

// Same reports whether o is a record of the same scenario.
func (r *Record) Same(o *Record) bool { return r.Key == o.Key }

// Comparable returns the records that r can be compared with, in their order. Left says in sentences which are left
// out, and why. If the machine of r has no processors, records of every machine are comparable.
func (r *Record) Comparable(all []*Record) (records []*Record, left []string) {
	var others, elsewhere []*Record
	for _, o := range all {
		switch {
		case !r.Same(o):
			others = append(others, o)
		case r.Machine.CPUs > 0 && !o.Machine.Alike(r.Machine):
			elsewhere = append(elsewhere, o)
		default:
			records = append(records, o)
		}
	}
	if n := len(elsewhere); n > 0 {
		verb := "was"
		if n > 1 {
			verb = "were"
		}
		left = append(left, fmt.Sprintf("%s %s made on another kind of machine: %s, and this is %s",
			syntax.Amount(n, "record"), verb,
			elsewhere[n-1].Machine, r.Machine))
	}
	return records, append(left, r.apartFrom(others, len(all))...)
}

// apartFrom says how the records of other scenarios differ from r. All is the number of all records.
func (r *Record) apartFrom(others []*Record, all int) []string {
	var silent, named int // records that do not say what differs, and records with another name
	names, reasons := map[string]bool{}, map[string]int{}
	for _, o := range others {
		switch {
		case o.Name != r.Name:
			named++
			names[fmt.Sprintf("%q", o.Name)] = true
		case o.Scenario == nil || r.Scenario == nil:
			silent++
		default:
			reasons[settingsDiffer(o.Scenario, r.Scenario)]++
		}
	}
	say := func(n int, why string) string {
		switch {
		case all == 1:
			return "the only record is not of this scenario: " + why
		case n == all:
			return fmt.Sprintf("none of the %d records is of this scenario: %s", n, why)
		case n == 1:
			return fmt.Sprintf("1 of %d records is not of this scenario: %s", all, why)
		}
		return fmt.Sprintf("%d of %d records are not of this scenario: %s", n, all, why)
	}
	var out []string
	for _, why := range slices.SortedFunc(maps.Keys(reasons), func(a, b string) int {
		return cmp.Or(reasons[b]-reasons[a], strings.Compare(a, b))
	}) {
		out = append(out, say(reasons[why], why))
	}
	if silent > 0 {
		out = append(out, say(silent, "it does not say what differs, as one of the two scenarios can't be read"))
	}
	if named > 0 {
		out = append(out, say(named, "its name is "+strings.Join(slices.Sorted(maps.Keys(names)), ", ")))
	}
	return out
}
