package effect

import (
	"math"
	"slices"

	"brunt/scenarios/result"
)

// mostToGrow is the maximum number of points that a slope is computed from. Longer series are reduced to that many
// medians, because neighbouring values are correlated and would make the interval too narrow.
const mostToGrow = 60

// TheilSen returns the median of the slopes between any two points, which is robust if up to a third of them are
// outliers (Theil, 1950), and its 95 % interval by Kendall's statistic (Sen, 1968). lives has the process of each
// point. Points of different processes are not compared, because a restart frees leaked memory; the statistics of the
// processes are added up (Hirsch, Slack and Smith, 1982).
func TheilSen(points []result.Point, lives []int) (slope, low, high float64) {
	var slopes []float64
	variance := 0.0
	for from := 0; from < len(points); {
		to := from + 1
		for to < len(points) && (lives == nil || lives[to] == lives[from]) {
			to++
		}
		group := medians(points[from:to], max(2, mostToGrow*(to-from)/len(points)))
		ties := map[result.Num]float64{}
		for i, p := range group {
			ties[p.V]++
			for _, q := range group[i+1:] {
				if q.T > p.T {
					slopes = append(slopes, float64(q.V-p.V)/float64(q.T-p.T))
				}
			}
		}
		n := float64(len(group))
		v := n * (n - 1) * (2*n + 5)
		for _, t := range ties {
			v -= t * (t - 1) * (2*t + 5)
		}
		variance += v / 18
		from = to
	}
	n := len(slopes)
	if n == 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	slices.Sort(slopes)
	slope = (slopes[(n-1)/2] + slopes[n/2]) / 2
	width := Normal975 * math.Sqrt(variance)
	at := func(rank float64) float64 { return slopes[min(n-1, max(0, int(math.Round(rank))))] }
	return slope, at((float64(n)-width)/2 - 1), at((float64(n) + width) / 2)
}

// medians reduces points to at most most points, each the median of neighbours.
func medians(points []result.Point, most int) []result.Point {
	if len(points) <= most {
		return points
	}
	out := make([]result.Point, 0, most)
	for i := range most {
		part := slices.Clone(points[i*len(points)/most : (i+1)*len(points)/most])
		middle := part[len(part)/2].T
		slices.SortFunc(part, func(a, b result.Point) int {
			if a.V < b.V {
				return -1
			}
			if a.V > b.V {
				return 1
			}
			return 0
		})
		out = append(out, result.Point{T: middle, V: part[len(part)/2].V})
	}
	return out
}
