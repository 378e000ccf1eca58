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

// IncidentRow returns an incident of a run as a row of a table. N counts from one.
func IncidentRow(r *result.Result, n int, in *result.Incident) []string {
	to := Offset(in.End)
	switch {
	case in.Over:
	case goodAtEnd(in):
		to = Offset(in.EndLow) + " or later"
	default:
		to = "the end"
	}
	return []string{
		Int(int64(n)) + ": " + incidentCause(r, in), Offset(in.Begin), to, IncidentLasted(r, in), Count(in.Bad),
		Count(in.Requests), incidentKinds(r, in),
	}
}

// IncidentLasted formats how long an incident lasted, such as > 4s for one that was not over by the end of the load. An
// incident of which failed requests alone are known lasted at least so long.
func IncidentLasted(r *result.Result, in *result.Incident) string {
	if f := doneBy(r, in); in.Over && f != nil && waitsUntold(f) {
		return "at least " + Seconds(lasted(in))
	}
	return pick(in.Over, "", "> ") + Seconds(lasted(in))
}

// IncidentText returns an incident of a run as a sentence.
func IncidentText(r *result.Result, in *result.Incident) string {
	row := IncidentRow(r, 1, in)
	s := "from " + row[1] + " to " + row[2] + " (" + row[3] + "): "
	switch {
	case in.Bad == 0 && in.Stalled > 0: // a closed load: its users waited, and then all was good
		s += row[6]
	case row[6] != "":
		s += row[4] + " of " + row[5] + " requests were bad: " + row[6]
	default:
		s += row[4] + " of " + row[5] + " requests were bad"
	}
	return s + "; " + incidentCause(r, in)
}

// incidentCause says "by" of the fault that evidence shows, and "during" and "after" of faults of which any may have
// done it, or none.
func incidentCause(r *result.Result, in *result.Incident) string {
	ended, by := ownEnd(r, in), doneBy(r, in)
	switch {
	case ended != "" && by != nil && late(r, in, by):
		return "after " + Clean(in.By) + ", as " + ended
	case in.By != "" && in.Evidence == result.ByRelapse:
		return "by " + Clean(in.By) + ", a relapse"
	case in.By != "" && in.Evidence == result.ByRevert:
		return "by the end of " + Clean(in.By)
	case in.By != "":
		return "by " + Clean(in.By)
	}
	active, over := faultsAt(r, in)
	switch {
	case len(active) > 0 && len(over) > 0:
		return "during " + Clean(Join(active)) + ", after " + Clean(Join(over))
	case len(active) > 0:
		return "during " + Clean(Join(active))
	case len(over) > 0:
		return "after " + Clean(Join(over))
	}
	return wasInThen(r, in)
}

// wasInThen says what was in when an incident began at a time at which no fault may have done harm; see [wasIn]. A
// fault that was injected in the incident was in for a part of it.
func wasInThen(r *result.Result, in *result.Incident) string {
	later := func(f result.FaultRecord) bool { return f.Injected > in.Begin && f.Injected < in.End }
	return wasIn(r, in.Begin) +
		pick(len(faultsIn(r, in.Begin)) == 0 && slices.ContainsFunc(r.Faults, later), " when it began", "")
}

// wasIn says what was in at a time at which no fault may have done harm: faults that no traffic met, or none but the
// conditions of the run.
func wasIn(r *result.Result, at result.Num) string {
	var unmet []string
	for _, f := range faultsIn(r, at) {
		if noTraffic(f) {
			unmet = append(unmet, f.Name)
		}
	}
	if len(unmet) > 0 {
		return Clean(Join(unmet)) + pick(len(unmet) > 1, " were", " was") + " in, and met no traffic"
	}
	return cmp.Or(unitsDown(r, at), noFault(r)+" was in")
}

// unitsDown names the faults whose units were still down after their crash, because nothing starts them again, as a
// clause; empty without.
func unitsDown(r *result.Result, at result.Num) string {
	var down []string
	units := 0
	for _, f := range faultsIn(r, at) {
		if stillDown(f, at) {
			down, units = append(down, f.Name), units+max(1, len(leftDown(f)))
		}
	}
	if len(down) == 0 {
		return ""
	}
	return pick(units > 1, "the units of ", "the unit of ") + Clean(Join(down)) +
		pick(units > 1, " were", " was") + " still down"
}

// stillDown reports whether the units of a fault were down at a time after it, because nothing starts them again.
func stillDown(f *result.FaultRecord, at result.Num) bool { return f.StaysDown && f.Cleared < at }

// leftDown returns the units of a fault that nothing starts again: of a group, those of some of its steps.
func leftDown(f *result.FaultRecord) (units []string) {
	for i := range f.Steps {
		if s := &f.Steps[i]; s.StaysDown {
			units = append(units, s.Units...)
		}
	}
	if len(units) == 0 {
		return f.Units
	}
	return units
}

// faultsIn returns the faults that were in at a time.
func faultsIn(r *result.Result, at result.Num) (list []*result.FaultRecord) {
	for i := range r.Faults {
		if f := &r.Faults[i]; f.Injected <= at && !f.OverBefore(at) {
			list = append(list, f)
		}
	}
	return list
}

// noFault says that there was no fault but the conditions of the run, which were in for the whole load.
func noFault(r *result.Result) string {
	held := conditionsIn(r)
	if len(held) == 0 {
		return "no fault"
	}
	return "no fault but the " + pick(len(held) > 1, "conditions ", "condition ") + Clean(Join(held))
}

// faultsAt returns the faults of an incident: those that were in when it began, and those that were over, but not for
// long enough to rule them out.
func faultsAt(r *result.Result, in *result.Incident) (active, over []string) {
	for _, name := range in.Faults {
		if by := faultNamed(r, name); by != nil && by.OverBefore(in.Begin) {
			over = append(over, name)
		} else {
			active = append(active, name)
		}
	}
	return active, over
}

// notMade is the kind of the requests that were skipped.
const notMade = "skipped"

// incidentKinds lists the most frequent kinds of errors of the requests that were made, the step with the most of
// them, and how many requests were skipped as a result. If another kind came first, it says so: the most frequent one
// may be its effect, such as a circuit breaker that opened.
func incidentKinds(r *result.Result, in *result.Incident) string {
	kinds := slices.SortedFunc(maps.Keys(in.Kinds),
		func(a, b string) int { return cmp.Or(cmp.Compare(in.Kinds[b], in.Kinds[a]), cmp.Compare(a, b)) })
	kinds = slices.DeleteFunc(kinds, func(kind string) bool { return kind == notMade })
	var out []string
	for _, k := range kinds[:min(3, len(kinds))] {
		out = append(out, Clean(k))
	}
	if first := firstKind(r, in); first != nil && len(kinds) > 1 && first.Kind != kinds[0] && in.Kinds[first.Kind] > 0 {
		out = slices.DeleteFunc(out, func(k string) bool { return k == Clean(first.Kind) })
		out = append([]string{"first " + Clean(first.Kind) + " of " + stepName(first) + ", then " + out[0]}, out[1:]...)
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

// firstIn returns the errors that came first in an incident; nil without.
func firstIn(r *result.Result, in *result.Incident) *result.ErrorGroup {
	return firstErrors(r, in.Begin, in.End, func(e *result.ErrorGroup) int64 {
		return countIn([]*result.Incident{in}, e)
	})
}

// firstKind returns the errors with which an incident began; nil if that is not known, as of errors that had been seen
// before it.
func firstKind(r *result.Result, in *result.Incident) *result.ErrorGroup {
	first := firstIn(r, in)
	if first == nil || first.Sample == nil || first.Sample.At < float64(in.BeginLow)-.001 {
		return nil
	}
	return first
}
