package kube

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A LabelSelector selects objects by their labels; nil selects none.
type LabelSelector struct {
	MatchLabels      map[string]string          `json:"matchLabels,omitempty"`
	MatchExpressions []LabelSelectorRequirement `json:"matchExpressions,omitempty"`
}

// LabelSelectorRequirement is a condition on one label.
type LabelSelectorRequirement struct {
	Key      string                `json:"key"`
	Operator LabelSelectorOperator `json:"operator"`
	Values   []string              `json:"values,omitempty"`
}

// LabelSelectorOperator compares a label with values.
type LabelSelectorOperator string

// The operators. [LabelSelectorNotIn] selects objects without the label too.
const (
	LabelSelectorIn           LabelSelectorOperator = "In"
	LabelSelectorNotIn        LabelSelectorOperator = "NotIn"
	LabelSelectorExists       LabelSelectorOperator = "Exists"
	LabelSelectorDoesNotExist LabelSelectorOperator = "DoesNotExist"
)

// A Selector is a [LabelSelector] that is ready to match. Its zero value selects no object.
type Selector struct {
	all  bool // selects all objects that meet each condition
	each []LabelSelectorRequirement
}

// SelectorOf returns the selector of the objects that have all of some labels.
func SelectorOf(labels map[string]string) Selector {
	s := Selector{all: true}
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		s.each = append(s.each, LabelSelectorRequirement{Key: k, Operator: LabelSelectorIn, Values: []string{labels[k]}})
	}
	return s
}

// Selector returns the selector in the form that matches labels. The error names a condition that is not in the API.
func (s *LabelSelector) Selector() (Selector, error) {
	if s == nil {
		return Selector{}, nil
	}
	out := SelectorOf(s.MatchLabels)
	for _, r := range s.MatchExpressions {
		valued := r.Operator == LabelSelectorIn || r.Operator == LabelSelectorNotIn
		switch {
		case !valued && r.Operator != LabelSelectorExists && r.Operator != LabelSelectorDoesNotExist:
			return Selector{}, fmt.Errorf("the selector's operator %q is unknown", r.Operator)
		case valued != (len(r.Values) > 0):
			return Selector{}, fmt.Errorf("the selector's condition %s %s has %d values", r.Key, r.Operator, len(r.Values))
		}
		out.each = append(out.each, r)
	}
	slices.SortStableFunc(out.each, func(a, b LabelSelectorRequirement) int { return strings.Compare(a.Key, b.Key) })
	return out, nil
}

// Matches reports whether an object with some labels is selected.
func (s Selector) Matches(labels map[string]string) bool {
	for _, r := range s.each {
		v, has := labels[r.Key]
		met := false
		switch r.Operator {
		case LabelSelectorIn:
			met = has && slices.Contains(r.Values, v)
		case LabelSelectorNotIn:
			met = !has || !slices.Contains(r.Values, v)
		case LabelSelectorExists:
			met = has
		case LabelSelectorDoesNotExist:
			met = !has
		}
		if !met {
			return false
		}
	}
	return s.all
}

// String formats the selector as queries and kubectl do, such as app=web,tier in (a,b).
func (s Selector) String() string {
	var out []string
	for _, r := range s.each {
		values := slices.Sorted(slices.Values(r.Values))
		switch {
		case r.Operator == LabelSelectorExists:
			out = append(out, r.Key)
		case r.Operator == LabelSelectorDoesNotExist:
			out = append(out, "!"+r.Key)
		case r.Operator == LabelSelectorNotIn:
			out = append(out, r.Key+" notin ("+strings.Join(values, ",")+")")
		case len(values) == 1:
			out = append(out, r.Key+"="+values[0])
		default:
			out = append(out, r.Key+" in ("+strings.Join(values, ",")+")")
		}
	}
	return strings.Join(out, ",")
}
