package reporters

import (
	"encoding/json"
	"math"
	"strconv"
)

// encode gives the script what it needs for hover and zoom, as short as JSON allows:
// when points begin as runs of equal distances in milliseconds, values as multiples of
// a unit that suits them, a series near another as the difference from it, a sparse
// one as pairs of place and value. null is unknown, -1 an infinite time.
func (c *charts) encode() ([]byte, error) {
	if len(c.points) == 0 {
		return []byte("{}"), nil
	}
	type line struct {
		Unit   unit            `json:"u"`
		Per    float64         `json:"m"` // what the values are divided by
		Base   *int            `json:"b,omitempty"`
		Every  int             `json:"g,omitempty"` // points that each value is for
		Values json.RawMessage `json:"v,omitempty"`
		Sparse json.RawMessage `json:"z,omitempty"`
	}
	var out struct {
		A      float64 `json:"a"`
		B      float64 `json:"b"`
		Times  [2]any  `json:"t"`
		Series []line  `json:"s"`
	}
	out.A, out.B, out.Times = c.a, c.b, c.spacing()
	for i := range c.data {
		s := &c.data[i]
		l := line{Unit: s.unit, Per: per(s), Every: s.every}
		values := s.values
		if s.base != nil {
			for j := range i {
				if c.data[j].name == s.base.name {
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
			l.Values = list(texts)
		}
		out.Series = append(out.Series, l)
	}
	return json.Marshal(out)
}

// spacing is the first moment and the distances to the next ones, the last of them to
// the end of the last point.
func (c *charts) spacing() [2]any {
	ms := func(s float64) int64 { return int64(math.Round(s * 1e3)) }
	var runs [][2]int64
	for i := range c.points {
		end := c.points[i].t + c.points[i].d
		if i+1 < len(c.points) {
			end = c.points[i+1].t
		}
		d := ms(end) - ms(c.points[i].t)
		if n := len(runs); n > 0 && runs[n-1][0] == d {
			runs[n-1][1]++
			continue
		}
		runs = append(runs, [2]int64{d, 1})
	}
	return [2]any{ms(c.points[0].t), runs}
}

// per is what the values of a series are multiplied with: milli- or microseconds,
// hundredths of a core, of a percent.
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
	case inCores:
		return 100
	case inBytes:
		return 1.0 / (1 << 20)
	case inShare:
		if s.low { // what is next to 1 counts
			return 1e6
		}
		return 1e4
	}
	return 1
}

// texts writes values with as many digits as the page shows; few tells that most
// are 0.
func texts(values []float64, u unit, per float64) (out []string, few bool) {
	zeros := 0
	for _, v := range values {
		t := ""
		switch {
		case math.IsNaN(v):
			t = "null"
		case math.IsInf(v, 0):
			t = "-1" // of times only, which are never negative
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

func list(texts []string) json.RawMessage {
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
