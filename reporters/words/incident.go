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
	return []string{
		Int(int64(n)) + ": " + incidentCause(in), Offset(in.Begin), to, lasted, Count(in.Bad),
		Count(in.Requests), incidentKinds(in),
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
	return s + "; " + incidentCause(in)
}

// incidentCause says "by" of the fault that evidence shows, and "during" of faults of which any may have done it, or
// none.
func incidentCause(in *result.Incident) string {
	switch {
	case in.By != "" && in.Evidence == result.ByRelapse:
		return "by " + Clean(in.By) + ", a relapse"
	case in.By != "" && in.Evidence == result.ByRevert:
		return "by the end of " + Clean(in.By)
	case in.By != "":
		return "by " + Clean(in.By)
	case len(in.Faults) > 0:
		return "during " + Clean(Join(in.Faults))
	}
	return "no fault was in"
}

// notMade is the kind of the requests that were skipped.
const notMade = "skipped"

// incidentKinds lists the most frequent kinds of errors of the requests that were made, the step with the most of
// them, and how many requests were skipped as a result.
func incidentKinds(in *result.Incident) string {
	kinds := slices.SortedFunc(maps.Keys(in.Kinds),
		func(a, b string) int { return cmp.Or(cmp.Compare(in.Kinds[b], in.Kinds[a]), cmp.Compare(a, b)) })
	kinds = slices.DeleteFunc(kinds, func(kind string) bool { return kind == notMade })
	var out []string
	for _, k := range kinds[:min(3, len(kinds))] {
		out = append(out, Clean(k))
	}
	if in.Stalled > 0 {
		out = append(out, "no request ended for "+Seconds(in.Stalled)+" or longer")
	}
	s := strings.Join(out, ", ")
	if len(in.Steps) > 1 && in.Steps[0].Made() > 0 {
		most := "most in "
		if in.Steps[1].Made() == 0 {
			most = "all in "
		}
		s += "; " + most + Clean(in.Steps[0].Step)
	}
	if skipped := in.Kinds[notMade]; skipped > 0 {
		s += "; " + Plural(skipped, "request", "requests") + " skipped as a result"
	}
	return strings.TrimPrefix(s, "; ")
}
