package result

import (
	"slices"
	"strconv"
	"strings"

	"brunt/scenarios/quantity"
	"brunt/scenarios/slo"
)

// A Note is a remark on an objective or on the effect of a fault, as data: why it has its verdict, or what a reader
// should know about it. [Notes.Phrase] puts it into words. A field that the kind does not use is zero.
type Note struct {
	Kind NoteKind `json:"kind" mask:"-"` // kind of the note
	// the fault, step, unit, series, alert or reference that the note is about
	Of     string    `json:"of,omitempty"`
	Phase  slo.Phase `json:"phase,omitzero" mask:"-"`   // the phase that the note is about
	Faults []string  `json:"faults,omitempty" mask:"-"` // several faults that were judged as one
	// number of requests, or of the writes, reads, values or occurrences that the kind counts
	Count    int64 `json:"count,omitempty"`
	Part     int64 `json:"part,omitempty"`      // part of count that the kind is about
	Need     int64 `json:"need,omitempty"`      // how many are needed
	NeedBase int64 `json:"need_base,omitempty"` // how many are needed in the baseline
	Value    Num   `json:"value,omitempty"`     // a value, in the unit of the objective's metric
	Low      Num   `json:"low,omitempty"`       // lower bound of value
	High     Num   `json:"high,omitempty"`      // upper bound of value
	// what value or count is compared with, such as the value of the baseline
	Base Num `json:"base,omitempty"`
	// limit of the share of bad requests, or the time above which an answer is slow, in seconds
	Limit  Num    `json:"limit,omitempty"`
	From   Num    `json:"from,omitempty"`   // beginning of a span, an offset from t0
	To     Num    `json:"to,omitempty"`     // end of a span, an offset from t0
	For    Num    `json:"for,omitempty"`    // length of a span or of a delay, in seconds
	Within Num    `json:"within,omitempty"` // the whole time that `for` is a part of, in seconds
	Text   string `json:"text,omitempty"`   // text of an error, of the target or of a person
}

// Notes are remarks that belong together. Each adds to the one before.
type Notes []Note

// And returns the notes followed by more.
func (l Notes) And(more ...Note) Notes { return append(l[:len(l):len(l)], more...) }

// Has reports whether a note is of one of some kinds.
func (l Notes) Has(kinds ...NoteKind) bool {
	return slices.ContainsFunc(l, func(n Note) bool { return slices.Contains(kinds, n.Kind) })
}

// Phrase returns the notes in words, as a part of a sentence. of is the objective whose metric the values have the
// unit of; nil means that no note has such a value.
func (l Notes) Phrase(of *ObjectiveResult) string {
	if of == nil {
		of = &ObjectiveResult{}
	}
	var b strings.Builder
	after := ""
	for i := range l {
		sentence := l[i].Kind.sentence()
		text := l[i].say(sentence, of)
		if text == "" {
			continue
		}
		if strings.HasPrefix(sentence, ",") {
			after = ""
		}
		b.WriteString(after + text)
		switch {
		case l[i].Kind == OfOne:
			after = ": "
		case strings.HasSuffix(sentence, ": "):
			after = ""
		default:
			after = "; "
		}
	}
	return b.String()
}

// say fills the note's figures into a sentence of [noteSentences].
func (n *Note) say(sentence string, of *ObjectiveResult) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(sentence, "[")
		text, _ := n.fill(before, of)
		b.WriteString(text)
		if !found {
			return b.String()
		}
		choice, after, _ := strings.Cut(rest, "]")
		with, without, _ := strings.Cut(choice, "|")
		text, known := n.fill(with, of)
		if !known {
			text, _ = n.fill(without, of)
		}
		b.WriteString(text)
		sentence = after
	}
}

// fill puts figures into the places of a sentence. known is false if a figure is zero or empty.
func (n *Note) fill(sentence string, of *ObjectiveResult) (text string, known bool) {
	var b strings.Builder
	known = true
	for {
		before, rest, found := strings.Cut(sentence, "<")
		b.WriteString(before)
		if !found {
			return b.String(), known
		}
		place, after, _ := strings.Cut(rest, ">")
		name, as, _ := strings.Cut(place, " ")
		s, zero := n.figure(name, as, of)
		b.WriteString(s)
		known, sentence = known && !zero, after
	}
}

// figure formats a field of the note, or of the objective. zero reports whether the field is zero or empty.
func (n *Note) figure(name, as string, of *ObjectiveResult) (text string, zero bool) {
	switch name {
	case "of":
		return n.Of, n.Of == ""
	case "phase":
		return n.Phase.String(), n.Phase == (slo.Phase{})
	case "faults":
		return strings.Join(n.Faults, ", "), len(n.Faults) == 0
	case "text":
		return n.Text, n.Text == ""
	case "metric":
		return of.Metric, false
	case "op":
		return of.Op, false
	}
	if i, ok := map[string]int64{"count": n.Count, "part": n.Part, "need": n.Need, "need_base": n.NeedBase}[name]; ok {
		return strconv.FormatInt(i, 10), i == 0
	}
	v := map[string]Num{
		"value": n.Value, "low": n.Low, "high": n.High, "base": n.Base, "limit": n.Limit,
		"from": n.From, "to": n.To, "for": n.For, "within": n.Within,
	}[name]
	return v.as(as, of), v == 0
}

// as formats a number of a note.
func (n Num) as(format string, of *ObjectiveResult) string {
	switch f := float64(n); format {
	case "seconds": // with three significant digits
		return quantity.FormatSeconds(f)
	case "ms": // to the millisecond
		return quantity.Brief(n.D())
	case "exactly": // a time that was set
		return quantity.FormatDuration(n.D())
	case "percent": // a limit that was set
		return quantity.FormatShare(f)
	case "share": // a share that was measured
		return quantity.FormatShareBriefly(f)
	case "growth": // growth of a counter
		if f < 10 {
			return strconv.FormatFloat(f, 'g', 3, 64)
		}
		return strconv.FormatFloat(f, 'f', 0, 64)
	case "number":
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return of.Of().FormatValue(float64(n))
}

// Say sets the note of the objective from its data.
func (o *ObjectiveResult) Say() { o.Note = o.Because.Phrase(o) }

// Say sets the note of the fault from its data.
func (f *FaultRecord) Say() { f.Note = f.Because.Phrase(nil) }

// Say sets SlowerUntold from its data.
func (p *ImpactParts) Say() { p.SlowerUntold = p.SlowerBecause.Phrase(nil) }
