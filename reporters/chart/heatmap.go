package chart

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
)

const (
	HeatRows    = 72  // of a heat map, at most
	HeatColumns = 720 // of a heat map, at most
	heatShades  = 16  // besides transparent

	octaves   = 32 // from 1 µs to more than an hour
	perOctave = 32 // finer than the rows
)

// Heatmap draws the distribution of response times over time as an image. The opacity of a cell is its share of the
// requests. It returns nil if there are no histograms.
func (c *Plotter) Heatmap(r *result.Result) (*Chart, error) {
	if r.Histograms == nil || len(c.points) < 2 {
		return nil, nil
	}
	s, cells, err := c.heat(r)
	if err != nil || cells == nil {
		return nil, err
	}
	img, err := heatImage(cells)
	if err != nil {
		return nil, err
	}
	ch := &Chart{
		ID: "heatmap", Title: "Spread of response times",
		About: "The stronger the colour, the larger the share of that moment's requests that took so long. Every request " +
			"that came to an end counts here, " +
			"failed ones too.",
		Label: "Heatmap of response times over the run; its table gives the shares.",
	}
	c.overTime(ch)
	from, to := c.points[0], c.points[len(c.points)-1]
	x, w := c.Place(from.t)*PlotWidth, (c.Place(to.t+to.d)-c.Place(from.t))*PlotWidth
	ch.Behind = c.shaded()
	ch.Plot = c.grid(ch, s, inSeconds) + template.HTML(fmt.Sprintf(
		`<image x="%s" y="0" width="%s" height="500" preserveAspectRatio="none" href="data:image/png;base64,%s"/>`,
		units(x), units(w), base64.StdEncoding.EncodeToString(img)))
	ch.Table = c.heatTable(s, cells)
	ch.Shades = shades()
	return ch, nil
}

// heatInk is the only colour of the map: visible on a light page and on a dark one.
var heatInk = color.NRGBA{R: 0x2b, G: 0x7b, B: 0xbf}

// The shares of a moment's requests that have the faintest and the strongest shade.
const faintest, strongest = .001, .3

// opacity returns the opacity of a shade.
func opacity(shade int) uint8 { return uint8(28 + 227*shade/(heatShades-1)) }

// shades returns the legend of the map.
func shades() template.HTML {
	var b strings.Builder
	fmt.Fprintf(&b, `%s <svg class="shades" viewBox="0 0 %d 10" aria-hidden="true">`, words.Percent(faintest),
		heatShades*10)
	for i := range heatShades {
		fmt.Fprintf(&b, `<path fill="#%02x%02x%02x" fill-opacity="%.2f" d="M%d 0h10v10h-10z"/>`, heatInk.R, heatInk.G,
			heatInk.B, float64(opacity(i))/255, i*10)
	}
	return template.HTML(b.String() + "</svg> " + words.Percent(strongest) + " of a moment’s requests or more")
}

// heat sorts the values of each moment into rows of the scale. The result has the share of a moment's requests, by
// column and row; the slowest are in row 0.
func (c *Plotter) heat(r *result.Result) (Scale, [][]float64, error) {
	from, to := c.points[0].t, c.points[len(c.points)-1]
	span := to.t + to.d - from
	moments := make([][]float32, len(c.points)) // requests by octave
	pointOf := map[int]int{}
	for i := range c.points {
		for _, number := range c.points[i].hists {
			pointOf[number] = i
		}
	}
	var ends []float64
	for h, err := range r.Histograms.All() { // one pass over the file, not one per histogram
		if err != nil {
			return Scale{}, nil, err
		}
		i, ok := pointOf[h.N]
		if !ok {
			continue
		}
		if moments[i] == nil {
			moments[i] = make([]float32, octaves*perOctave)
		}
		for v, n := range h.HDR.ForEachBucket {
			moments[i][min(octaves*perOctave-1, int(math.Log2(math.Max(1, float64(v)))*perOctave))] += float32(n)
		}
		ends = append(ends, float64(h.HDR.Min())/1e6, float64(h.HDR.Max())/1e6)
	}
	s, ok := Log(ends)
	if !ok {
		return Scale{}, nil, nil
	}
	cells := make([][]float64, HeatColumns)
	for i := range cells {
		cells[i] = make([]float64, HeatRows)
	}
	var rowOf [octaves * perOctave]int
	for k := range rowOf {
		rowOf[k] = min(HeatRows-1, int((1-s.At(math.Exp2((float64(k)+.5)/perOctave)/1e6))*HeatRows))
	}
	for i, list := range moments {
		// a point covers the columns of its time
		a := int((c.points[i].t-from)/span*HeatColumns + .5)
		b := int((c.points[i].t+c.points[i].d-from)/span*HeatColumns + .5)
		for k, n := range list {
			for col := min(a, HeatColumns-1); n > 0 && col < min(HeatColumns, max(b, a+1)); col++ {
				cells[col][rowOf[k]] += float64(n)
			}
		}
	}
	for _, col := range cells {
		sum := 0.0
		for _, v := range col {
			sum += v
		}
		for i := range col {
			if sum > 0 {
				col[i] /= sum
			}
		}
	}
	return s, cells, nil
}

// heatImage draws shares as the opacity of one colour.
func heatImage(cells [][]float64) ([]byte, error) {
	ink := heatInk
	shades := color.Palette{color.NRGBA{}}
	for i := range heatShades {
		ink.A = opacity(i)
		shades = append(shades, ink)
	}
	img := image.NewPaletted(image.Rect(0, 0, len(cells), HeatRows), shades)
	for x, col := range cells {
		for y, v := range col {
			if v > 0 {
				f := 1 - math.Log10(math.Max(v, faintest)/strongest)/math.Log10(faintest/strongest)
				img.SetColorIndex(x, y, uint8(1+math.Max(0, math.Min(heatShades-1, math.Round(f*(heatShades-1))))))
			}
		}
	}
	var b bytes.Buffer
	err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, img)
	return b.Bytes(), err
}

// heatTable returns the map as shares by bands of the axis, in at most 24 spans.
func (c *Plotter) heatTable(s Scale, cells [][]float64) *Table {
	const spans = 24
	t := &Table{Title: "Response times over time", Head: []string{"from"}}
	edges := s.Ticks()
	t.Head = append(t.Head, "under "+quantity.FormatSeconds(edges[0]))
	for _, e := range edges {
		t.Head = append(t.Head, "from "+quantity.FormatSeconds(e))
	}
	from, to := c.points[0].t, c.points[len(c.points)-1]
	span := to.t + to.d - from
	step := (len(cells) + spans - 1) / spans
	for i := 0; i < len(cells); i += step {
		sums, total := make([]float64, len(edges)+1), 0.0
		for _, col := range cells[i:min(len(cells), i+step)] {
			for row, v := range col {
				at := 1 - (float64(row)+.5)/HeatRows
				band := 0
				for band < len(edges) && s.At(edges[band]) <= at {
					band++
				}
				sums[band] += v
				total += v
			}
		}
		row := []string{words.Offset(result.Num(math.Round((from+span*float64(i)/float64(len(cells)))*10) / 10))}
		for _, v := range sums {
			cell := ""
			if v > 0 {
				cell = words.Percent(math.Round(v/total*1e4) / 1e4)
			}
			row = append(row, cell)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
