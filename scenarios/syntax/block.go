package syntax

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

// A Block is a kind with undecoded settings, so that the hub does not depend on drivers, executors and faults.
type Block struct {
	Kind string
	Pos  Pos   // of the kind
	With *Node // the settings; nil if there are none

	Also []string // keys of the surrounding map, for "did you mean"
	// keys of Also can't stand among the settings, which are a map of their own
	Apart bool
}

// Resolve finds the kind of b in kinds and decodes b's settings into a new value of it. It adds mistakes to m. Ok is
// false if there are mistakes, or if b was already invalid: a placeholder without a value, or a block without a kind.
func Resolve[T any](b Block, kinds map[string]func() T, m *Mistakes) (value T, ok bool) {
	before, skipped := m.Len(), m.Skipped
	if b.Kind == "" {
		return value, false
	}
	mk, known := kinds[b.Kind]
	if !known {
		if later, yes := notYet[b.Kind]; yes {
			m.Add(b.Pos, "%s %q is not available yet", later, b.Kind)
			return value, false
		}
		m.AddHint(b.Pos, kindHint(b.Kind, slices.Sorted(maps.Keys(kinds))), "unknown kind %q", Clip(b.Kind, 60))
		return value, false
	}
	value = mk()
	with := b.With
	if with == nil {
		with = &Node{Kind: Map, Pos: b.Pos}
	}
	decode(with, reflect.ValueOf(value).Elem(), m, &b)
	return value, m.Len() == before && m.Skipped == skipped
}

// kindHint suggests a kind for an unknown one. If none is near and they are many, it lists those that begin as the
// unknown one does, such as pod., or else the words that kinds begin with.
func kindHint(kind string, known []string) string {
	hint := DidYouMean(kind, known)
	if hint != "" {
		return hint
	}
	family, _, _ := strings.Cut(kind, ".")
	var families, same []string
	for _, k := range known {
		of, _, _ := strings.Cut(k, ".")
		families = append(families, of)
		if of == family {
			same = append(same, k)
		}
	}
	if len(same) > 0 {
		return "known are " + strings.Join(same, ", ")
	}
	return "known kinds begin with " + strings.Join(slices.Compact(families), ", ")
}

// notYet names parts of the language that this version does not implement, so that the message can say so instead of
// "unknown".
var notYet = map[string]string{"find": "executor"}

// NotYet reports whether name is a part of the language that this version does not implement, and
// returns its noun: executor or step.
func NotYet(name string) (noun string, yes bool) {
	noun, yes = notYet[name]
	return noun, yes
}
