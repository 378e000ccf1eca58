package words

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"brunt/scenarios/result"
)

// IncidentHead holds the column names of [IncidentRow].
var IncidentHead = []string{"incident", "from", "to", "lasted", "bad", "of", "what failed"}

// IncidentRow returns an incident as a row of a table. N counts from one.
func IncidentRow(n int, in *result.Incident) []string {
	to, lasted := Offset(in.End), Seconds(in.End-in.Begin)
	if !in.Over {
		to, lasted = "the end", "> "+lasted
		if in.EndLow > in.Begin && in.EndLow < in.End { // it was good from there to the end, for less than a hold
			to, lasted = Offset(in.EndLow)+" or later", "> "+Seconds(in.EndLow-in.Begin)
		}
	}
	cause := "no fault was in"
	if len(in.Faults) > 0 {
		cause = Clean(Join(in.Faults))
	}
	return []string{
		Int(int64(n)) + ": " + cause, Offset(in.Begin), to, lasted, Count(in.Bad), Count(in.Requests), incidentKinds(in),
	}
}

// IncidentText returns an incident as a sentence.
func IncidentText(in *result.Incident) string {
	row := IncidentRow(1, in)
	s := "from " + row[1] + " to " + row[2] + " (" + row[3] + "): "
	switch {
	case in.Bad == 0 && in.Stalled > 0: // a closed load: its users waited, and then all was good
		s += row[6]
	case row[6] != "":
		s += row[4] + " of " + row[5] + " requests were bad: " + row[6]
	default:
		s += row[4] + " of " + row[5] + " requests were bad"
	}
	if len(in.Faults) == 0 {
		return s + "; no fault was in"
	}
	if len(in.Faults) == 1 {
		return s + "; " + Clean(in.Faults[0]) + " was in"
	}
	return s + "; " + Clean(Join(in.Faults)) + " were in"
}

// incidentKinds lists the most frequent kinds of errors, and the step with the most.
func incidentKinds(in *result.Incident) string {
	kinds := slices.SortedFunc(maps.Keys(in.Kinds),
		func(a, b string) int { return cmp.Or(cmp.Compare(in.Kinds[b], in.Kinds[a]), cmp.Compare(a, b)) })
	var out []string
	for _, k := range kinds[:min(3, len(kinds))] {
		out = append(out, Clean(k))
	}
	if in.Stalled > 0 {
		out = append(out, "no request ended for "+Seconds(in.Stalled)+" or longer")
	}
	s := strings.Join(out, ", ")
	if len(in.Steps) > 1 {
		s += "; most in " + Clean(in.Steps[0].Step)
	}
	return strings.TrimPrefix(s, "; ")
}
