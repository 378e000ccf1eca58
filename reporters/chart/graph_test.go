package chart

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// TestGraphOf: callers stand left of the called, a cycle ends, and texts are escaped.
func TestGraphOf(t *testing.T) {
	edges := []GraphEdge{
		{From: "gateway", To: "posts", Label: "1.00", Strong: true},
		{From: "gateway", To: "users", Label: "?", Unsure: true},
		{From: "posts", To: "store"},
		{From: "users", To: "store"},
		{From: "store", To: "posts"},
		{From: "posts", To: `<b>"&`},
	}
	column, order := layers(edges)
	for n, want := range map[string]int{"gateway": 0, "users": 1, "store": 2, "posts": 3, `<b>"&`: 4} {
		if column[n] != want {
			t.Errorf("%s is in column %d, want %d", n, column[n], want)
		}
	}
	if order[0] != "gateway" || !slices.IsSortedFunc(order, func(a, b string) int { return column[a] - column[b] }) {
		t.Errorf("order %q", order)
	}
	svg := string(GraphOf(edges))
	paths, texts := 0, []string{}
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not XML: %v\n%s", err, svg)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if token.Name.Local == "path" {
				paths++
			}
		case xml.CharData:
			texts = append(texts, string(token))
		}
	}
	if paths != 2*len(edges) {
		t.Errorf("%d paths for %d edges", paths, len(edges))
	}
	for _, want := range []string{"gateway", "1.00", "?", `<b>"&`} {
		if !slices.Contains(texts, want) {
			t.Errorf("the text %s is missing in %q", want, texts)
		}
	}
	if strings.Count(svg, "stroke-dasharray") != 1 || strings.Count(svg, `stroke-width="3"`) != 1 {
		t.Errorf("one edge is unsure, and one strong: %s", svg)
	}
	if GraphOf(nil) != "" {
		t.Error("a graph without edges is drawn")
	}
	cycles := []GraphEdge{{From: "a", To: "b"}, {From: "b", To: "a"}, {From: "c", To: "c"}}
	if _, order := layers(cycles); len(order) != 3 {
		t.Errorf("nodes of cycles: %q", order)
	}
}

// TestLayers_ManyPaths: paths that meet are followed once; one by one, these 4^30 never end.
func TestLayers_ManyPaths(t *testing.T) {
	var edges []GraphEdge
	for layer := range 30 {
		for i := range 16 {
			edges = append(edges, GraphEdge{From: fmt.Sprint(layer, i/4), To: fmt.Sprint(layer+1, i%4)})
		}
	}
	if column, _ := layers(edges); column["30 3"] != 30 {
		t.Errorf("the last node is in column %d, want 30", column["30 3"])
	}
}
