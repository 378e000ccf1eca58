package words

import (
	"fmt"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// anomalies has the names of each kind of anomaly, of one and of several.
var anomalies = map[string][2]string{
	result.AnomalyDirty:        {"dirty read", "dirty reads"},
	result.AnomalyFuture:       {"read of the future", "reads of the future"},
	result.AnomalyLost:         {"lost write", "lost writes"},
	result.AnomalyOverwritten:  {"overwritten update", "overwritten updates"},
	result.AnomalyDivergent:    {"divergent read", "divergent reads"},
	result.AnomalyNonMonotonic: {"non-monotonic read", "non-monotonic reads"},
	result.AnomalyStale:        {"stale read", "stale reads"},
	result.AnomalyOrder:        {"operation out of order", "operations out of order"},
}

// anomaly names anomalies of a kind with their number.
func anomaly(k *result.AnomalyKind) string {
	names, known := anomalies[k.Kind]
	if !known {
		names = [2]string{Clean(k.Kind), Clean(k.Kind)}
	}
	return Plural(k.Count, names[0], names[1])
}

// AnomalyName names a kind of anomaly.
func AnomalyName(kind string) string {
	if names, known := anomalies[kind]; known {
		return Capitalize(names[0])
	}
	return Clean(kind)
}

// ConsistencyVerdict returns the verdict on registers themselves, independent of the objectives.
func ConsistencyVerdict(c *result.ConsistencyRecord) scenarios.Verdict {
	switch {
	case c.Anomalies > 0:
		return scenarios.Fail
	case !c.Shows() || !c.Whole():
		return scenarios.Inconclusive
	}
	return scenarios.Pass
}

// ConsistencyHeadline states the gravest finding after the name of the registers.
func ConsistencyHeadline(c *result.ConsistencyRecord) string {
	return Clean(c.Name) + ": " + consistencyFinding(c)
}

func consistencyFinding(c *result.ConsistencyRecord) string {
	finding := "no anomaly"
	switch {
	case len(c.Kinds) > 0:
		var kinds []string
		for i := range c.Kinds {
			kinds = append(kinds, anomaly(&c.Kinds[i]))
		}
		finding = strings.Join(kinds, ", ")
		if c.Staleness > 0 {
			finding += ", stale by at least " + Seconds(c.Staleness)
		}
	case !c.Shows():
		finding = "not known, as no write was acknowledged or no read answered"
	case !c.Whole():
		finding = "no anomaly in a part of the operations"
	}
	return finding
}

// ConsistencyText says what was checked, what took no part, and the witness of the gravest anomaly.
func ConsistencyText(c *result.ConsistencyRecord) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s by %s and %s by %s, of %s by %s.", Plural(c.Writes, "write", "writes"), Clean(c.Write),
		Plural(c.Reads, "read", "reads"), Clean(c.Read), Plural(c.Registers, "register", "registers"),
		Plural(c.Sessions, "user", "users"))
	var rest []string
	for _, f := range []struct {
		n         int64
		one, many string
	}{
		{c.Unknown, "write may have had an effect or not", "writes may have had an effect or not"},
		{c.Refused, "write was refused", "writes were refused"},
		{c.Unanswered, "read had no answer with a value", "reads had no answer with a value"},
		{
			c.LeftOut, "operation is left out, as its value may have another writer",
			"operations are left out, as their values may have another writer",
		},
		{
			c.Undecided, "register could not be decided in the time limit",
			"registers could not be decided in the time limit",
		},
		{c.Unrecorded, "operation was beyond the capacity", "operations were beyond the capacity"},
	} {
		if f.n > 0 {
			rest = append(rest, Plural(f.n, f.one, f.many))
		}
	}
	if len(rest) > 0 {
		b.WriteString(" " + Capitalize(strings.Join(rest, "; ")) + ".")
	}
	if len(c.Witnesses) > 0 {
		b.WriteString(" " + Capitalize(WitnessText(&c.Witnesses[0])) + ".")
	}
	return b.String()
}

// AnomalyHead holds the column names of AnomalyRow.
var AnomalyHead = []string{"anomalies", "first", "last", "during"}

// AnomalyRow returns a kind of anomalies in the order of AnomalyHead.
func AnomalyRow(k *result.AnomalyKind) []string {
	during := "–"
	if len(k.Faults) > 0 {
		during = byMost(k.Faults)
	}
	return []string{anomaly(k), Offset(k.First), Offset(k.Last), during}
}

// WitnessText says why the operations of a witness are not possible, as a sentence without its full stop.
func WitnessText(w *result.Witness) string {
	at := slices.IndexFunc(w.Operations, func(o result.Operation) bool { return o.Convicts })
	if at < 0 {
		return Clean(w.Kind)
	}
	o := &w.Operations[at]
	text := fmt.Sprintf("%s of %s at %s", operation(o), registerName(w), Offset(o.Begin))
	newer := func() *result.Operation { // the operation before it that shows the newer value
		for i := at - 1; i >= 0; i-- {
			if p := &w.Operations[i]; p.Value != o.Value && (!p.Write || p.Outcome == result.WriteAcknowledged) {
				return p
			}
		}
		return nil
	}()
	switch w.Kind {
	case result.AnomalyStale:
		if newer != nil {
			text += fmt.Sprintf(", %s after %s", Seconds(w.Age), operation(newer))
		}
	case result.AnomalyDivergent:
		text += fmt.Sprintf(", replaced %s before, while no fault was in", Seconds(w.Age))
		if newer != nil {
			text += ", and " + operation(newer)
		}
	case result.AnomalyNonMonotonic:
		if newer != nil {
			text += fmt.Sprintf(", although it had %s by %s, which is newer", did(newer), Offset(newer.End))
		}
	case result.AnomalyLost:
		text = fmt.Sprintf("%s of %s, acknowledged at %s, and it was gone", operation(o), registerName(w), Offset(o.End))
		if last := &w.Operations[len(w.Operations)-1]; last != o {
			text += fmt.Sprintf(" %s later, when %s", Seconds(w.Age), operation(last))
		}
	case result.AnomalyOverwritten:
		text = fmt.Sprintf("%s of %s, acknowledged at %s, in place of a value that another write had replaced",
			operation(o), registerName(w), Offset(o.End))
	case result.AnomalyDirty:
		text += ", whose write had been refused"
	case result.AnomalyFuture:
		text += ", before its write began"
	case result.AnomalyOrder:
		text += ", and no order of it and the operations around it explains what was read"
	}
	if len(w.Faults) > 0 {
		text += ", during " + Join(clean(w.Faults))
	}
	return text
}

// registerName names the register of a witness.
func registerName(w *result.Witness) string {
	if w.Register == "" {
		return "the register"
	}
	return "register " + Clean(w.Register)
}

// operation says what an operation did: who, and with which value.
func operation(o *result.Operation) string { return Clean(o.Session) + " " + did(o) }

func did(o *result.Operation) string {
	switch {
	case o.Nothing:
		return "found nothing"
	case o.Write && o.Outcome == result.WriteAcknowledged:
		return "wrote " + shortValue(o)
	case o.Write:
		return "sent " + shortValue(o)
	}
	return "read " + shortValue(o)
}

// shortValue clips a value, such as a UUID, to what tells it from others of a witness.
func shortValue(o *result.Operation) string { return Clip(Clean(o.Value), 13) }

// WitnessLine describes an operation of a witness in a line.
func WitnessLine(o *result.Operation) string {
	text := operation(o)
	if o.Write {
		text += ", " + Clean(o.Outcome)
	}
	return text
}
