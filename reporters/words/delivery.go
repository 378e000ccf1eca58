package words

import (
	"fmt"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

// DeliveryHead holds the column names of a table of messages.
var DeliveryHead = []string{"state", "id", "due", "acknowledged", "seen", "times seen", "lost to"}

// DeliveryRow returns a message in the order of DeliveryHead.
func DeliveryRow(k *result.DeliveryKey) []string {
	return []string{
		Clean(string(k.State)), Clean(k.ID), Offset(k.Due), Offset(k.Acknowledged), Offset(k.Seen), Count(k.Sightings),
		lostTo(k.Fault, k.Faults),
	}
}

// DeliveryVerdict returns the verdict of a delivery itself, independent of the objectives.
func DeliveryVerdict(d *result.DeliveryRecord) scenarios.Verdict {
	switch {
	case d.Wrong() > 0 && (d.Duplicated+d.Reordered > 0 || d.SurelyLost() > 0):
		return scenarios.Fail
	case d.Acknowledged == 0 || d.Unsure() > 0 || d.Lost > 0 || d.Unreadable > 0 || d.Again > 0:
		return scenarios.Inconclusive
	}
	return scenarios.Pass
}

// DeliveryHeadline states the most severe finding, after the name of the delivery.
func DeliveryHeadline(d *result.DeliveryRecord) string {
	return Clean(d.Name) + ": " + deliveryFinding(d)
}

func deliveryFinding(d *result.DeliveryRecord) string {
	many := func(n int64, how string) string { return Plural(n, "message", "messages") + " " + how }
	switch {
	case d.Acknowledged == 0:
		return "no message was acknowledged"
	case d.Lost > 0:
		return lostIn(d) + " lost"
	case d.Duplicated > 0:
		return many(d.Duplicated, "duplicated")
	case d.Reordered > 0:
		return many(d.Reordered, "out of order")
	case DeliveryVerdict(d) != scenarios.Pass:
		return "not known of all messages"
	case d.Late > 0:
		return many(d.Late, "late, none lost")
	}
	return "every message was seen once and in time"
}

// lostIn says how many messages a delivery lost, of which some may have been seen without a readable id.
func lostIn(d *result.DeliveryRecord) string {
	s := Plural(d.Lost, "message", "messages")
	switch sure := d.SurelyLost(); sure {
	case d.Lost:
		return s
	case 0:
		return "at most " + s
	default:
		return Count(sure) + " to " + s
	}
}

// DeliveryFigures returns the relevant figures. The first ones are always present, the others only if not zero.
func DeliveryFigures(d *result.DeliveryRecord) []LedgerFigure {
	out := []LedgerFigure{
		{"acknowledged", d.Acknowledged},
		{"held", d.Held},
		{"late", d.Late},
		{"lost", d.Lost},
		{"duplicated", d.Duplicated},
	}
	if d.Ordered {
		out = append(out, LedgerFigure{"reordered", d.Reordered})
	}
	return appendNonzero(out, []LedgerFigure{
		{"unknown", d.Unknown},
		{"without an id", d.Unnamed},
		{"perhaps given to brunt twice", d.Again},
		{"present though unacknowledged", d.Present},
		{"of unknown order", d.Unkeyed},
		{"seen without a readable id", d.Unreadable},
		{"seen with a foreign id", d.Foreign},
	})
}

// DeliverySentence states in one sentence what became of the messages of a delivery, with the figures.
func DeliverySentence(d *result.DeliveryRecord) string {
	var figures []string
	for _, f := range DeliveryFigures(d) {
		figures = append(figures, Count(f.Count)+" "+f.Name)
	}
	return syntax.Sentence("Delivery " + DeliveryHeadline(d) + ": " + strings.Join(figures, ", "))
}

// DeliveryText describes what was sent, where it was seen, and to which faults messages were lost.
func DeliveryText(d *result.DeliveryRecord) string {
	var text strings.Builder
	fmt.Fprintf(&text, "What %s sends must be seen at %s within %s.", Clean(d.Sent), Clean(d.Seen), Seconds(d.Within))
	if d.Resolution > 0 {
		fmt.Fprintf(&text, " brunt asks for messages, so a message may have come up to %s before brunt saw it.",
			Seconds(d.Resolution))
	}
	if len(d.LostSpans) > 0 {
		text.WriteString(lostSpansText(d.LostSpans, "message", nil))
	}
	if !d.Settled {
		text.WriteString(" The run ended before the settle time had passed, so it is unknown whether the messages that were " +
			"not seen by then would have come.")
	}
	if d.Failed > 0 {
		fmt.Fprintf(&text, " %s of %s for messages had no answer: %s.", Count(d.Failed),
			Plural(d.Questions, "question", "questions"), Clean(d.FailedBecause))
	}
	if d.Blind != 0 && d.Settled {
		fmt.Fprintf(&text, " Messages that were sent until %s and not seen may have come meanwhile, so what became of "+
			"them is unknown.", Offset(d.Blind))
	}
	if d.Unreadable > 0 && d.Lost > 0 {
		fmt.Fprintf(&text, " %s seen without a readable id: lost messages may be among them.",
			Plural(d.Unreadable, "message was", "messages were"))
	}
	if len(d.Because) > 0 {
		text.WriteString(" " + syntax.Sentence(Clean(d.Because.Phrase(nil))))
	}
	return text.String()
}
