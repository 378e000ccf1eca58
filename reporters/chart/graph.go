package chart

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
)

// A GraphEdge is an arrow between two nodes of a graph.
type GraphEdge struct {
	From, To string
	Label    string // beside the arrow
	Strong   bool   // drawn as a thick line
	Unsure   bool   // drawn as a dashed line
}

// The sizes of a graph, in pixels.
const (
	nodeWide   = 150
	nodeHigh   = 34
	columnGap  = 150
	rowGap     = 34
	graphEdge  = 8
	letterWide = 8 // at most so wide is a letter of a node's name
)

// GraphOf draws a directed graph as an SVG: callers stand left of the services that they call, as far as there is no
// cycle. The drawing is hidden from screen readers, for which a table beside it has the same. It is empty without an
// edge. All texts are escaped.
func GraphOf(edges []GraphEdge) template.HTML {
	if len(edges) == 0 {
		return ""
	}
	column, order := layers(edges)
	rows := map[int]int{} // by column
	place := map[string][2]int{}
	columns, most := 0, 0
	for _, n := range order {
		c := column[n]
		place[n] = [2]int{c, rows[c]}
		rows[c]++
		columns, most = max(columns, c+1), max(most, rows[c])
	}
	left := func(n string) int { return graphEdge + place[n][0]*(nodeWide+columnGap) }
	top := func(n string) int { // a short column stands in the middle
		free := (most - rows[place[n][0]]) * (nodeHigh + rowGap) / 2
		return graphEdge + rowGap/2 + free + place[n][1]*(nodeHigh+rowGap)
	}
	wide, high := 2*graphEdge+columns*nodeWide+(columns-1)*columnGap, 2*graphEdge+most*(nodeHigh+rowGap)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="graph" aria-hidden="true" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d">`,
		wide, high)
	for _, e := range edges {
		x1, y1 := left(e.From)+nodeWide, top(e.From)+nodeHigh/2
		x2, y2 := left(e.To), top(e.To)+nodeHigh/2
		bend := columnGap / 2
		if place[e.To][0] <= place[e.From][0] { // back, or beside: around the nodes
			bend = columnGap * 3 / 4
		}
		line := `stroke-width="1.5"`
		if e.Strong {
			line = `stroke-width="3"`
		}
		if e.Unsure {
			line += ` stroke-dasharray="5 4"`
		}
		fmt.Fprintf(&b, `<path d="M%d %dC%d %d %d %d %d %d" fill="none" stroke="currentColor" %s/>`,
			x1, y1, x1+bend, y1, x2-bend, y2, x2-8, y2, line)
		fmt.Fprintf(&b, `<path d="M%d %dl-9 -4v8z" fill="currentColor"/>`, x2, y2)
		fmt.Fprintf(&b, `<text x="%d" y="%d" font-size="12" fill="currentColor" stroke="Canvas" stroke-width="5" `+
			`paint-order="stroke" text-anchor="middle">%s</text>`,
			x1+(x2-x1)/2, y1+(y2-y1)/2-6, template.HTMLEscapeString(e.Label))
	}
	for _, n := range order {
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%d" height="%d" rx="4" fill="Canvas" stroke="currentColor"/>`,
			left(n), top(n), nodeWide, nodeHigh)
		name := []rune(n)
		if room := nodeWide / letterWide; len(name) > room {
			name = append(name[:room-1], '…')
		}
		fmt.Fprintf(&b, `<text x="%d" y="%d" font-size="14" fill="currentColor" text-anchor="middle">%s</text>`,
			left(n)+nodeWide/2, top(n)+nodeHigh/2+5, template.HTMLEscapeString(string(name)))
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

// layers assigns each node the length of the longest path to it as its column. A path that comes back to a node ends
// there. The order is by column, then by name.
func layers(edges []GraphEdge) (column map[string]int, order []string) {
	column = map[string]int{}
	called := map[string]bool{}
	for _, e := range edges {
		column[e.From], column[e.To] = 0, 0
		called[e.To] = called[e.To] || e.From != e.To
	}
	for n := range column {
		order = append(order, n)
	}
	slices.Sort(order)
	on, done := map[string]bool{}, map[string]bool{} // done: all paths from the node were followed at its column
	var visit func(n string, depth int) (whole bool)
	visit = func(n string, depth int) (whole bool) {
		if on[n] {
			return false
		}
		if depth < column[n] || depth == column[n] && done[n] {
			return true
		}
		column[n], on[n], whole = depth, true, true
		for _, e := range edges {
			if e.From == n && !visit(e.To, depth+1) {
				whole = false
			}
		}
		on[n], done[n] = false, whole
		return whole
	}
	roots := slices.DeleteFunc(slices.Clone(order), func(n string) bool { return called[n] })
	if len(roots) == 0 {
		roots = order[:1] // all are in a cycle
	}
	for _, n := range roots {
		visit(n, 0)
	}
	slices.SortStableFunc(order, func(a, b string) int { return column[a] - column[b] })
	return column, order
}
