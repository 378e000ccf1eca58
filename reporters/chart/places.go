package chart

import (
	"fmt"
	"html/template"
	"maps"
	"math"
	"slices"
	"strings"
)

// Places maps classes to positions of labels, in thousandths of the surrounding space. It exists because the page's
// policy allows no style attribute.
type Places map[string]string

func (p Places) class(kind, property string, f float64) string {
	n := int(math.Round(math.Max(-10, math.Min(10, f)) * 1000))
	name := strings.Replace(fmt.Sprintf("%s%d", kind, n), "-", "m", 1)
	p["."+name] = fmt.Sprintf("%s:%g%%", property, float64(n)/10)
	return name
}

func (p Places) left(f float64) string     { return p.class("l", "left", f) }
func (p Places) top(f float64) string      { return p.class("t", "top", f) }
func (p Places) width(f float64) string    { return p.class("w", "width", f) }
func (p Places) maxWidth(f float64) string { return p.class("r", "max-width", f) }

// CSS returns the rules of the places that were used.
func (p Places) CSS() template.CSS {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(p)) {
		b.WriteString(name + "{" + p[name] + "}")
	}
	return template.CSS(b.String())
}
