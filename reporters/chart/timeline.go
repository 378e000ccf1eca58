package chart

import (
	"cmp"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// A Timeline is the time axis that all charts of a page share, with the faults on it.
type Timeline struct {
	From, To float64 // seconds from t0
	Warmup   float64 // where the judged run begins, if later than From; else NaN
	places   Places
	faults   []result.FaultRecord
	lanes    []Lane
	now      float64 // the present moment while the run goes on; else NaN
	toCome   []result.PlannedFault
}

// Lane is one row of fault labels above a plot.
type Lane struct{ Items []laneItem }

// laneItem is a fault in its lane: a bar while it was active, a thin line until the load recovered, and its label.
// Places are classes.
type laneItem struct {
	N              int // number of the fault on the page; 0: the warm-up
	Name           string
	From, To       string // times, for the script
	Left, Width    string
	TailFrom, Tail string // until recovered; empty: none
	TailTo         string
	Steps          []stepMark
	Onset          string // place of the onset of harm
	OnsetAt        string
	Recovered      string
	Room           string // for the label
	Hint           string
	Number         string // replaces name and marks if there are many faults; also empty if there is no room
	Tight          bool   // there is no room for it on a narrow page
	ToCome         bool   // it is planned; only while the run goes on
	Incident       bool   // it is no fault, but a stretch in which too many requests failed
	Mild           bool   // in the stretch answers were slow, and no request failed
	end            float64
	start          float64
}

// A stepMark is the moment at which a step of a group was injected.
type stepMark struct{ Place, At, Hint string }

// NewTimeline spans the whole run.
func NewTimeline(r *result.Result, list []point, p Places) *Timeline {
	t := &Timeline{To: float64(r.Duration), places: p, faults: r.Faults, Warmup: math.NaN(), now: math.NaN()}
	if g := r.Going; g != nil { // the axis keeps its length while the run fills it
		t.now, t.To = g.At.Seconds(), g.End.Seconds()
		for _, f := range g.Timetable {
			if f.At > g.At {
				t.toCome = append(t.toCome, f)
			}
		}
	}
	if math.IsNaN(t.To) || t.To <= 0 {
		t.To = 1e-3
	}
	for i := range list {
		t.From, t.To = math.Min(t.From, list[i].t), math.Max(t.To, list[i].t+list[i].d)
	}
	for i := range r.Faults {
		f := &r.Faults[i]
		for _, n := range []result.Num{f.Injected, f.Cleared, f.RecoveredAt} {
			if n.Known() {
				t.To = math.Max(t.To, float64(n))
			}
		}
	}
	if t.From < 0 {
		t.Warmup = 0
	}
	t.lanes = t.layLanes(mostLanes)
	return t
}

// MostNamed is the largest number of faults with names and marks in every chart. With more faults the charts show
// numbers, and the overview shows the names.
const MostNamed = 12

// Overview gives each fault a row of its own. It packs many faults into fewer rows.
func (t *Timeline) Overview() []Lane {
	if len(t.faults) > MostNamed {
		return t.layLanes(mostRowsOfFaults)
	}
	var out []Lane
	for _, l := range t.lanes {
		for _, it := range l.Items {
			if it.N > 0 {
				it.Room = t.places.maxWidth(1 - it.start)
				out = append(out, Lane{Items: []laneItem{it}})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Lane) int { return a.Items[0].N - b.Items[0].N })
	return out
}

// Lanes returns the rows of fault labels above each plot.
func (t *Timeline) Lanes() []Lane { return t.lanes }

// Place returns the position of a moment on the axis, 0 to 1.
func (t *Timeline) Place(s float64) float64 { return (s - t.From) / (t.To - t.From) }

// end returns when a fault was cleared, or the end of the axis if it never was.
func (t *Timeline) end(f *result.FaultRecord) float64 {
	if f.Cleared.Known() {
		return float64(f.Cleared)
	}
	if !math.IsNaN(t.now) {
		return math.Max(t.now, float64(f.Injected))
	}
	return t.To
}

// mostLanes bounds the rows of fault labels above a plot; mostRowsOfFaults bounds the rows of the overview if there
// are many faults.
const (
	mostLanes        = 3
	mostRowsOfFaults = 10
)

// layLanes puts each fault into the first lane with room for its bar and part of its label. It makes at most most
// lanes.
func (t *Timeline) layLanes(most int) []Lane {
	var lanes []Lane
	many, named := len(t.faults) > MostNamed, len(t.faults) <= MostNamed || most > mostLanes
	put := func(it laneItem, label float64) {
		for i := range lanes {
			last := lanes[i].Items[len(lanes[i].Items)-1]
			if math.Max(last.end, last.start+label) <= it.start {
				lanes[i].Items = append(lanes[i].Items, it)
				return
			}
		}
		if len(lanes) < most {
			lanes = append(lanes, Lane{Items: []laneItem{it}})
			return
		}
		best := 0
		for i := range lanes {
			if lanes[i].Items[len(lanes[i].Items)-1].start < lanes[best].Items[len(lanes[best].Items)-1].start {
				best = i
			}
		}
		lanes[best].Items = append(lanes[best].Items, it)
	}
	if !math.IsNaN(t.Warmup) {
		it := t.item(t.From, 0)
		it.Name, it.Hint = "warm-up", "warm-up, not judged"
		put(it, .09)
	}
	for i := range t.faults {
		f := &t.faults[i]
		if !f.Injected.Known() {
			continue
		}
		it := t.item(float64(f.Injected), t.end(f))
		it.N = i + 1
		if named {
			it.Name = words.Clean(f.Name)
			it.Hint = it.Name + ": " + words.FaultTarget(f) + ", " + words.Offset(f.Injected) + " to " + words.Offset(f.Cleared)
		}
		if many {
			put(it, .05+.0075*float64(words.Width(it.Name)))
			continue
		}
		if f.RecoveredAt.Known() && f.Impact == result.Impacted && !f.NoOutage() {
			it.Recovered, it.TailTo = t.places.left(t.Place(float64(f.RecoveredAt))), moment(float64(f.RecoveredAt))
			if rec := float64(f.RecoveredAt); rec > t.end(f) {
				it.TailFrom, it.Tail = t.places.left(t.Place(t.end(f))), t.places.width(t.Place(rec)-t.Place(t.end(f)))
				it.end = math.Max(it.end, t.Place(rec))
			}
		}
		for _, s := range f.Steps {
			if s.Injected.Known() {
				hint := words.Clean(s.Name) + ": " + words.Offset(s.Injected)
				it.Steps = append(it.Steps, stepMark{
					t.places.left(t.Place(float64(s.Injected))), moment(float64(s.Injected)), hint,
				})
			}
		}
		if f.OnsetAt.Known() {
			it.Onset, it.OnsetAt = t.places.left(t.Place(float64(f.OnsetAt))), moment(float64(f.OnsetAt))
		}
		put(it, .08)
	}
	for _, it := range t.planned() {
		put(it, .08)
	}
	for i := range lanes {
		items := lanes[i].Items
		for j := range items {
			room := 1 - items[j].start
			if j+1 < len(items) {
				room = items[j+1].start - items[j].start
			}
			if it := &items[j]; it.Name != "" {
				it.Room = t.places.maxWidth(room)
			} else if room > .022 {
				it.Number, it.Tight = strconv.Itoa(it.N), room < .06
			}
		}
	}
	return lanes
}

// planned returns the faults that are still to come; nil if there are many faults, of which a table then lists those
// that have come.
func (t *Timeline) planned() (out []laneItem) {
	if len(t.faults) > MostNamed {
		return nil
	}
	for _, f := range t.toCome {
		it := t.item(f.At.Seconds(), math.Min(t.To, f.Clear.Seconds()))
		it.Name, it.ToCome = words.Clean(f.Name), true
		it.Hint = it.Name + ": planned at " + words.Offset(result.Sec(f.At))
		out = append(out, it)
	}
	return out
}

func (t *Timeline) item(from, to float64) laneItem {
	a, b := t.Place(from), t.Place(to)
	return laneItem{
		From: moment(from), To: moment(to), Left: t.places.left(a), Width: t.places.width(math.Max(b-a, .002)),
		start: a, end: b,
	}
}

// moment formats a time for the page's script.
func moment(s float64) string {
	return strconv.FormatFloat(Round3(s), 'f', -1, 64)
}

// Shade draws the background of all charts over time: the warm-up, the faults, the onset of harm and the recovery.
// Overlapping faults are merged into one area, so that the shade never gets darker.
func (t *Timeline) Shade() template.HTML {
	var b strings.Builder
	rect := func(class string, from, to float64) {
		x, w := t.Place(from)*PlotWidth, (t.Place(to)-t.Place(from))*PlotWidth
		b.WriteString(`<path class="` + class + `" d="M` + units(x) + ` 0h` + units(math.Max(w, 2)) + `v500h` +
			units(-math.Max(w, 2)) + `z"/>`)
	}
	if !math.IsNaN(t.Warmup) {
		rect("warm", t.From, 0)
	}
	from, to := math.NaN(), math.NaN()
	var edges, onsets, ends strings.Builder
	for _, s := range t.spans() {
		if s[0] <= to {
			to = math.Max(to, s[1])
			continue
		}
		if !math.IsNaN(from) {
			rect("shade", from, to)
		}
		from, to = s[0], s[1]
	}
	if !math.IsNaN(from) {
		rect("shade", from, to)
	}
	for i := range t.faults {
		f := &t.faults[i]
		if !f.Injected.Known() {
			continue
		}
		if len(t.faults) > MostNamed {
			continue // so many lines would hide the lines of the load
		}
		verticalLine(&edges, t.Place(float64(f.Injected)))
		for _, s := range f.Steps {
			if s.Injected > f.Injected {
				verticalLine(&edges, t.Place(float64(s.Injected)))
			}
		}
		if f.Cleared.Known() {
			verticalLine(&edges, t.Place(float64(f.Cleared)))
		}
		if f.OnsetAt.Known() {
			verticalLine(&onsets, t.Place(float64(f.OnsetAt)))
		}
		if f.RecoveredAt.Known() && f.Impact == result.Impacted && !f.NoOutage() {
			verticalLine(&ends, t.Place(float64(f.RecoveredAt)))
		}
	}
	for _, f := range t.toCome {
		x, w := t.Place(f.At.Seconds())*PlotWidth,
			(t.Place(math.Min(t.To, f.Clear.Seconds()))-t.Place(f.At.Seconds()))*PlotWidth
		b.WriteString(`<path class="tocome" d="M` + units(x) + ` 0h` + units(math.Max(w, 2)) + `v500h` +
			units(-math.Max(w, 2)) + `z"/>`)
	}
	for _, m := range []struct{ class, d string }{
		{"edge", edges.String()}, {"onset", onsets.String()}, {"recovered", ends.String()},
	} {
		if m.d != "" {
			b.WriteString(`<path class="` + m.class + `" d="` + m.d + `"/>`)
		}
	}
	return template.HTML(b.String())
}

func verticalLine(b *strings.Builder, x float64) {
	b.WriteString("M" + units(x*PlotWidth) + " 0v500")
}

func units(f float64) string { return strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64) }

// spans returns the times during which faults were active, in the order of their start.
func (t *Timeline) spans() [][2]float64 {
	var out [][2]float64
	for i := range t.faults {
		if f := &t.faults[i]; f.Injected.Known() {
			out = append(out, [2]float64{float64(f.Injected), t.end(f)})
		}
	}
	slices.SortFunc(out, func(a, b [2]float64) int { return cmp.Compare(a[0], b[0]) })
	return out
}

// Struck reports whether any fault was active.
func (t *Timeline) Struck() bool {
	return slices.ContainsFunc(t.faults, func(f result.FaultRecord) bool { return f.Injected.Known() })
}

// Tick is a label beside or below a plot.
type Tick struct {
	Place string
	Label string
	At    string // of a moment, for the script
	Minor bool   // omitted on a narrow page
}

// Times returns the labels of the axis.
func (t *Timeline) Times() []Tick {
	var out []Tick
	for i, s := range timeTicks(t.From, t.To, 12) {
		out = append(out, Tick{
			Place: t.places.left(t.Place(s)), Label: words.Offset(result.Num(s)), At: moment(s), Minor: i%2 == 1,
		})
	}
	return out
}
