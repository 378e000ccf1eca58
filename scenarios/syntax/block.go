package syntax

import (
	"maps"
	"reflect"
	"slices"
)

// A Block is a kind with undecoded settings, so that the hub does not depend on drivers, executors and faults.
type Block struct {
	Kind string
	Pos  Pos   // of the kind
	With *Node // the settings; nil if there are none

	Also []string // keys of the surrounding map, for "did you mean"
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
		m.AddHint(b.Pos, DidYouMean(b.Kind, slices.Sorted(maps.Keys(kinds))), "unknown kind %q", Clip(b.Kind, 60))
		return value, false
	}
	value = mk()
	with := b.With
	if with == nil {
		with = &Node{Kind: Map, Pos: b.Pos}
	}
	decode(with, reflect.ValueOf(value).Elem(), m, b.Also)
	return value, m.Len() == before && m.Skipped == skipped
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
