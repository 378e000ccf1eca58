package chart

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// Encode returns the data that the script needs for hover and zoom: the strokes of the lines, the texts of moments
// and the heights of names, all drawn and formatted by Go. The charts of single loads and steps (facets) are
// separate, because most readers never open them; draw makes their markup.
func (c *Plotter) Encode(
	r *result.Result, latency *Chart, draw func(*Chart) (Drawing, error),
) (whole, facets template.HTML, err error) {
	if len(c.points) == 0 {
		return "", "", nil
	}
	out := struct {
		A         float64                 `json:"a"`
		B         float64                 `json:"b"`
		Times     [2]any                  `json:"t"`
		Series    []line                  `json:"s"`
		Strokes   []strokeTable           `json:"k"`
		Names     map[string]*nameHeights `json:"e"` // by chart
		Moments   momentTexts             `json:"w"`
		Transform string                  `json:"m"`           // of zoomed lines
		Steps     []string                `json:"p,omitempty"` // the choices; "" is all steps of a load
		Of        []int                   `json:"o,omitempty"` // index in Loads of each choice
		Loads     []string                `json:"l,omitempty"`
		Faults    []focus                 `json:"f,omitempty"`
		Straight  *Straight               `json:"y,omitempty"` // of the chart of response times
	}{A: c.From, B: c.To, Times: spacing(edges(c.points)), Names: c.names, Faults: c.focuses()}
	zoomed := c.zoomAxis()
	out.Transform = c.transform(zoomed)
	if latency != nil {
		if out.Straight, err = latency.Straight.drawn(draw); err != nil {
			return "", "", err
		}
	}
	out.Series, out.Strokes = encodeLines(c.data, zoomed.units(edges(c.points)))
	moments := edges(c.points)
	list := c.facets(r)
	var charts []facetData
	for _, p := range list {
		i := slices.Index(out.Loads, p.load)
		if i < 0 {
			i, out.Loads = len(out.Loads), append(out.Loads, p.load)
		}
		out.Steps, out.Of = append(out.Steps, p.step), append(out.Of, i)
		one, err := p.drawn(c, r, zoomed, max(12, mostFacetMoments/len(list)), draw)
		if err != nil {
			return "", "", err
		}
		charts, moments = append(charts, one), append(moments, edges(p.points)...)
	}
	out.Moments = c.texts(zoomed, moments)
	if whole, err = packed(out); err != nil || len(list) == 0 {
		return whole, "", err
	}
	facets, err = packed(charts)
	return whole, facets, err
}

// facetData holds the lines of one load or step, and its drawn charts. Its lines correspond to the first lines of the
// page.
type facetData struct {
	Times   [2]any             `json:"t"`
	Series  []line             `json:"s"`
	Strokes []strokeTable      `json:"k"`
	Note    string             `json:"n"`
	Charts  map[string]Drawing `json:"c"` // by ID
}

// A Drawing is the markup of a load's or step's chart, in parts that replace the parts of the whole run's chart. The
// script builds the paths of lines from their strokes.
type Drawing struct {
	Tops    string       `json:"tops"`
	Strips  string       `json:"strips"`
	Ticks   string       `json:"ticks"`
	Names   string       `json:"names"`
	Lines   string       `json:"lines"`
	Label   string       `json:"label"`
	Table   string       `json:"table"`
	Heights *nameHeights `json:"e,omitempty"`
	// of the chart of response times
	Straight *Straight `json:"y,omitempty"`
}

// drawn returns the charts of a load or step, with the heights of names at most moments.
func (p *facet) drawn(
	c *Plotter, r *result.Result, zoomed axis, moments int, draw func(*Chart) (Drawing, error),
) (facetData, error) {
	only := &Plotter{
		Timeline: c.Timeline, points: p.points, kinds: c.kinds, onPage: true, bare: true, together: 1, rowLimit: p.rows,
		moments: moments,
		names:   map[string]*nameHeights{}, load: p.load, step: p.step,
	}
	out := facetData{Times: spacing(edges(p.points)), Note: p.note(), Charts: map[string]Drawing{}}
	for _, ch := range []*Chart{only.Latency(r), only.Throughput(r), only.errorChart()} {
		if ch == nil {
			continue
		}
		ch.Title += " of " + p.name
		d, err := draw(ch)
		if err != nil {
			return facetData{}, err
		}
		d.Heights = only.names[ch.ID]
		if d.Straight, err = ch.Straight.drawn(draw); err != nil {
			return facetData{}, err
		}
		out.Charts[ch.ID] = d
	}
	out.Series, out.Strokes = encodeLines(only.data, zoomed.units(edges(p.points)))
	return out, nil
}

// focus is a part of the run that a reader may want to view on its own.
type focus struct {
	Name string  `json:"n"`
	From float64 `json:"a"`
	To   float64 `json:"b"`
}

// focuses returns a part for each fault: the fault until the load recovered, and a quarter of that length before and
// after it.
func (t *Timeline) focuses() []focus {
	var out []focus
	for i := range t.faults {
		f := &t.faults[i]
		if !f.Injected.Known() {
			continue
		}
		from, to := float64(f.Injected), t.end(f)
		if f.RecoveredAt.Known() {
			to = math.Max(to, float64(f.RecoveredAt))
		}
		room := math.Max(2, (to-from)/4)
		out = append(out, focus{
			fmt.Sprintf("%d %s", i+1, words.Clean(f.Name)), math.Max(t.From, from-room), math.Min(t.To, to+room),
		})
	}
	return out
}

// packed returns v as deflated JSON in base64, which is less than half as long as the JSON.
func packed(v any) (template.HTML, error) {
	var b bytes.Buffer
	text := base64.NewEncoder(base64.StdEncoding, &b)
	z, err := gzip.NewWriterLevel(text, gzip.BestCompression)
	if err != nil {
		return "", err
	}
	if err := errors.Join(encode(z, v), z.Close(), text.Close()); err != nil {
		return "", err
	}
	return template.HTML(b.String()), nil
}

// encode writes v as JSON. The text is packed, so its markup needs no escapes.
func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// spacing returns the first edge in milliseconds, and the distances to the following edges as runs of equal
// distances.
func spacing(edges []int64) [2]any {
	var runs [][2]int64
	for i, ms := range edges[1:] {
		d := ms - edges[i]
		if n := len(runs); n > 0 && runs[n-1][0] == d {
			runs[n-1][1]++
			continue
		}
		runs = append(runs, [2]int64{d, 1})
	}
	return [2]any{edges[0], runs}
}
