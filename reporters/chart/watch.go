package chart

import (
	"slices"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// A Watched is one question of `watch`, with a strip for each unit on the page's time axis.
type Watched struct {
	Name, About string
	Legend      []WatchedState
	Strips      []WatchedStrip
}

// WatchedState is a state in the legend, with the class of its colour.
type WatchedState struct{ Name, Class string }

// WatchedStrip is a unit's states over time.
type WatchedStrip struct {
	Unit, Label, Note string
	Parts             []WatchedPart
}

// WatchedPart is a span of time with one state. Places are classes.
type WatchedPart struct{ Text, Class, Left, Width, Hint string }

// watchedColors is the number of states with a colour of their own; the others share one.
const watchedColors = 6

// Watched draws the states of the watches. Watches with the same name are drawn together.
func (t *Timeline) Watched(all []result.Watch) []Watched {
	var out []Watched
	for i := range all {
		w := &all[i]
		at := slices.IndexFunc(out, func(o Watched) bool { return o.Name == words.Clean(w.Name) })
		if at < 0 {
			at = len(out)
			about := words.Clip(words.Clean(w.Source), 200)
			if w.Every > 0 {
				about += ", asked every " + words.Seconds(w.Every)
			}
			out = append(out, Watched{Name: words.Clean(w.Name), About: about + "."})
		}
		out[at].add(t, w)
	}
	for i := range out {
		out[i].Legend = append(out[i].Legend, WatchedState{"no answer", "none"})
	}
	return out
}

// class returns the class of a state, and adds the state to the legend.
func (o *Watched) class(text string) string {
	if text == "" {
		return "none"
	}
	i := slices.IndexFunc(o.Legend, func(s WatchedState) bool { return s.Name == text })
	if i < 0 {
		i = len(o.Legend)
		class := "other"
		if i < watchedColors {
			class = "s" + words.Int(int64(i))
		}
		o.Legend = append(o.Legend, WatchedState{text, class})
	}
	return o.Legend[i].Class
}

func (o *Watched) add(t *Timeline, w *result.Watch) {
	strip := WatchedStrip{Unit: words.Clean(w.Unit), Note: words.Clip(words.Clean(w.Note), 200)}
	label := ""
	for _, s := range w.States {
		from, to := max(t.From, float64(s.From)), min(t.To, float64(s.To))
		if !s.From.Known() || !s.To.Known() || to < from {
			continue
		}
		text := words.Clean(s.Text)
		said := text
		if text == "" {
			said = "no answer"
		}
		p := WatchedPart{
			Text: text, Class: o.class(text), Left: t.places.left(t.Place(from)),
			Width: t.places.width(max(t.Place(to)-t.Place(from), .001)),
			Hint:  said + ", " + words.Offset(s.From) + " to " + words.Offset(s.To),
		}
		if label != "" {
			label += "; "
		}
		label += p.Hint
		strip.Parts = append(strip.Parts, p)
	}
	strip.Label = strip.Unit + ": " + words.Clip(label, 600)
	o.Strips = append(o.Strips, strip)
}
