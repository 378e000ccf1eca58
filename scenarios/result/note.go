package result

import (
	"strconv"
	"strings"

	"brunt/scenarios/quantity"
	"brunt/scenarios/slo"
)

// A Note is a remark on an objective or on the effect of a fault, as data: why it has its verdict, or what a reader
// should know of it. [Notes.Phrase] says it. A field that a kind does not use is zero.
type Note struct {
	Kind NoteKind `json:"kind" mask:"-"` // what it says
	// the fault, step, unit, series, alert, or reference that it is about
	Of     string    `json:"of,omitempty"`
	Phase  slo.Phase `json:"phase,omitzero" mask:"-"`   // that it is about
	Faults []string  `json:"faults,omitempty" mask:"-"` // several that were taken for one
	// requests, or the writes, reads, values or occurrences that the kind counts
	Count    int64  `json:"count,omitempty"`
	Part     int64  `json:"part,omitempty"`      // of count, those that the kind is about
	Need     int64  `json:"need,omitempty"`      // how many are needed
	NeedBase int64  `json:"need_base,omitempty"` // how many are needed of base
	Value    Num    `json:"value,omitempty"`     // as the metric of the objective measures
	Low      Num    `json:"low,omitempty"`       // value is no less
	High     Num    `json:"high,omitempty"`      // value is no more
	Base     Num    `json:"base,omitempty"`      // what value or count is held against, such as that of the baseline
	Limit    Num    `json:"limit,omitempty"`     // share of bad requests, or time from which an answer is slow, in seconds
	From     Num    `json:"from,omitempty"`      // when it began, an offset from t0
	To       Num    `json:"to,omitempty"`        // when it ended, an offset from t0
	For      Num    `json:"for,omitempty"`       // how long it lasted, or was late, in seconds
	Within   Num    `json:"within,omitempty"`    // of how long, in seconds
	Text     string `json:"text,omitempty"`      // what an error, the target or a person says
}

// Notes are remarks that belong together. Each says more of the one before.
type Notes []Note

// And returns the notes with more of them.
func (l Notes) And(more ...Note) Notes { return append(l[:len(l):len(l)], more...) }

// Phrase says notes, to be a part of a sentence. Values are of the metric of an objective; nil: there are none.
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

// say fills in the sentence of the note; see [noteSentences].
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

// fill puts figures in the places of a sentence. It is false where one of them is zero or empty.
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

// figure formats a field of the note, or says what the objective is on.
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

// as formats a figure of a note.
func (n Num) as(format string, of *ObjectiveResult) string {
	switch f := float64(n); format {
	case "seconds": // with three digits
		return quantity.FormatSeconds(f)
	case "ms": // to the millisecond
		return quantity.Brief(n.D())
	case "exactly": // a time that was set
		return quantity.FormatDuration(n.D())
	case "percent": // a limit that was set
		return quantity.FormatShare(f)
	case "share": // one that was measured
		return quantity.FormatShareBriefly(f)
	case "growth": // of a counter
		if f < 10 {
			return strconv.FormatFloat(f, 'g', 3, 64)
		}
		return strconv.FormatFloat(f, 'f', 0, 64)
	case "number":
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return of.Of().FormatValue(float64(n))
}

// Say writes the note of the objective from its data.
func (o *ObjectiveResult) Say() { o.Note = o.Because.Phrase(o) }

// Say writes the note of the fault from its data.
func (f *FaultRecord) Say() { f.Note = f.Because.Phrase(nil) }

// Say writes why it is not certain whether answers were slower from its data.
func (p *ImpactParts) Say() { p.SlowerUntold = p.SlowerBecause.Phrase(nil) }
