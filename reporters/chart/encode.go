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
	"strconv"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// Encode returns the data for hover and zoom, as short as JSON allows: the starts of points as
// runs of equal distances in milliseconds, values as multiples of a suitable unit, a series
// close to another as the difference from it, a sparse one as pairs of place and value. null
// is unknown, -1 an infinite time. The charts of single loads and steps are separate, since
// most readers never open them; draw makes their markup.
func (c *Plotter) Encode(r *result.Result, draw func(*Chart) (Drawing, error)) (whole, facets template.HTML, err error) {
	if len(c.points) == 0 {
		return "", "", nil
	}
	out := struct {
		A      float64   `json:"a"`
		B      float64   `json:"b"`
		Times  [2]any    `json:"t"`
		Series []line    `json:"s"`
		Steps  []string  `json:"p,omitempty"` // the choices; "" is all steps of a load
		Of     []int     `json:"o,omitempty"` // index in Loads of each choice
		Loads  []string  `json:"l,omitempty"`
		Faults []focus   `json:"f,omitempty"`
		Ticks  []float64 `json:"k"` // possible distances of moments on the axis, in seconds
	}{A: c.From, B: c.To, Times: spacing(c.points), Series: lines(c.data), Faults: c.focuses(), Ticks: timeSteps}
	list := c.facets(r)
	var charts []facetData
	for _, p := range list {
		i := slices.Index(out.Loads, p.load)
		if i < 0 {
			i, out.Loads = len(out.Loads), append(out.Loads, p.load)
		}
		out.Steps, out.Of = append(out.Steps, p.step), append(out.Of, i)
		one, err := p.drawn(c, r, draw)
		if err != nil {
			return "", "", err
		}
		charts = append(charts, one)
	}
	if whole, err = packed(out); err != nil || len(list) == 0 {
		return whole, "", err
	}
	facets, err = packed(charts)
	return whole, facets, err
}

// line is a series as the script reads it.
type line struct {
	Name   string          `json:"n"`
	Unit   unit            `json:"u"`
	Per    float64         `json:"m"` // the values are divided by it
	Base   *int            `json:"b,omitempty"`
	Every  int             `json:"g,omitempty"` // points per value
	Values json.RawMessage `json:"v,omitempty"`
	Sparse json.RawMessage `json:"z,omitempty"`
}

// facetData holds the points of one load or step, and its charts as drawn. Its series
// correspond to the first ones of the page.
type facetData struct {
	Times  [2]any             `json:"t"`
	Series []line             `json:"s"`
	Note   string             `json:"n"`
	Charts map[string]Drawing `json:"c"` // by ID
}

// A Drawing is a chart of a load or step as markup, in the parts that take the place of those
// in the chart of the whole run. Lines have no path: the script draws them from their values.
type Drawing struct {
	Tops   string `json:"tops"`
	Strips string `json:"strips"`
	Ticks  string `json:"ticks"`
	Names  string `json:"names"`
	Lines  string `json:"lines"`
	Scale  string `json:"scale"`
	Label  string `json:"label"`
	Table  string `json:"table"`
}

// drawn returns the charts of a load or step.
func (p *facet) drawn(c *Plotter, r *result.Result, draw func(*Chart) (Drawing, error)) (facetData, error) {
	only := &Plotter{Timeline: c.Timeline, points: p.points, kinds: c.kinds, onPage: true, bare: true, together: 1, rowLimit: p.rows}
	out := facetData{Times: spacing(p.points), Note: p.note(), Charts: map[string]Drawing{}}
	for _, ch := range []*Chart{only.Latency(r), only.Throughput(), only.errorChart()} {
		if ch == nil {
			continue
		}
		ch.Title += " of " + p.name
		d, err := draw(ch)
		if err != nil {
			return facetData{}, err
		}
		out.Charts[ch.ID] = d
	}
	out.Series = lines(only.data)
	return out, nil
}

// focus is a part of the run that a reader may want to view alone.
type focus struct {
	Name string  `json:"n"`
	From float64 `json:"a"`
	To   float64 `json:"b"`
}

// focuses returns each fault with a quarter of its length around it, up to where the load had
// recovered.
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
		out = append(out, focus{fmt.Sprintf("%d %s", i+1, words.Clean(f.Name)), math.Max(t.From, from-room), math.Min(t.To, to+room)})
	}
	return out
}

func lines(list []series) []line {
	var out []line
	for i := range list {
		s := &list[i]
		l := line{Name: s.name, Unit: s.unit, Per: per(s), Every: s.every}
		values := s.values
		if s.base != nil {
			for j := range i {
				if list[j].name == s.base.name {
					l.Base = &j
				}
			}
			values = make([]float64, len(s.values))
			for k, v := range s.values {
				values[k] = math.Round(v*10)/10 - math.Round(s.base.values[k]*10)/10
			}
		}
		texts, few := texts(values, s.unit, l.Per)
		if few && s.every == 0 {
			l.Sparse = pairs(texts)
		} else {
			l.Values = array(texts)
		}
		out = append(out, l)
	}
	return out
}

// packed returns v as JSON, deflated, in base64: less than half of its length.
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

// spacing returns the first moment and the distances to the next ones, the last one to the end
// of the last point.
func spacing(list []point) [2]any {
	ms := func(s float64) int64 { return int64(math.Round(s * 1e3)) }
	var runs [][2]int64
	for i := range list {
		end := list[i].t + list[i].d
		if i+1 < len(list) {
			end = list[i+1].t
		}
		d := ms(end) - ms(list[i].t)
		if n := len(runs); n > 0 && runs[n-1][0] == d {
			runs[n-1][1]++
			continue
		}
		runs = append(runs, [2]int64{d, 1})
	}
	return [2]any{ms(list[0].t), runs}
}

// per returns the factor for the values of a series: milli- or microseconds, hundredths of a
// core or of a percent.
func per(s *series) float64 {
	switch s.unit {
	case inSeconds:
		small, n := 0, 0
		for _, v := range s.values {
			if v > 0 && !math.IsInf(v, 0) {
				n++
				if v < 1e-3 {
					small++
				}
			}
		}
		if small*2 > n {
			return 1e6
		}
		return 1e3
	case InCores:
		return 100
	case inBytes:
		return 1.0 / (1 << 20)
	case inShare:
		if s.low { // the difference from 1 counts
			return 1e6
		}
		return 1e4
	}
	return 1
}

// texts writes values with as many digits as the page shows; few reports that most are 0.
func texts(values []float64, u unit, per float64) (out []string, few bool) {
	zeros := 0
	for _, v := range values {
		t := ""
		switch {
		case math.IsNaN(v):
			t = "null"
		case math.IsInf(v, 0):
			t = "-1" // only for times, which are never negative
		case v == 0:
			t = "0"
		default:
			v *= per
			p := 10.0
			if u == inSeconds || u == inBytes {
				p = math.Pow(10, 2-math.Floor(math.Log10(math.Abs(v))))
			} else if u != perSec {
				p = 1
			}
			t = strconv.FormatFloat(math.Round(v*p)/p, 'f', -1, 64)
		}
		if t == "0" || t == "-0" {
			t = "0"
			zeros++
		}
		out = append(out, t)
	}
	return out, zeros*3 > len(values)*2
}

func array(texts []string) json.RawMessage {
	b := []byte{'['}
	for i, t := range texts {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, t...)
	}
	return append(b, ']')
}

func pairs(texts []string) json.RawMessage {
	b := []byte{'['}
	for i, t := range texts {
		if t == "0" {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(i), 10)
		b = append(b, ',')
		b = append(b, t...)
	}
	return append(b, ']')
}
