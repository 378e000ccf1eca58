package oneline

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"brunt/chaos"
	"brunt/chaos/catalog"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// faults returns the map of `chaos`.
func (l Line) faults(t times) (*syntax.Node, error) {
	out, kinds := &syntax.Node{Kind: syntax.Map}, plan.ArgumentKinds()
	for i, given := range l.Faults {
		words := fields(given)
		if len(words) == 0 {
			return nil, errors.New(`--fault is empty; such as --fault "network.latency delay=100ms"`)
		}
		kind := words[0]
		if !slices.Contains(kinds, kind) {
			return nil, fmt.Errorf("--fault %q: there is no fault %q; %s", given, kind,
				cmp.Or(syntax.DidYouMean(kind, kinds), "`brunt explain faults` lists the kinds"))
		}
		f, err := fault(kind, words[1:], t.lead+time.Duration(i)*t.part, t.stays)
		if err != nil {
			return nil, fmt.Errorf("--fault %q: %w", given, err)
		}
		base := strings.NewReplacer(".", "-", "_", "-").Replace(kind)
		name := base
		for n := 2; out.Get(name) != nil; n++ {
			name = fmt.Sprintf("%s-%d", base, n)
		}
		set(out, name, f)
	}
	return out, nil
}

// fault returns one entry of `chaos`. at and stays are its time, unless the settings have one.
func fault(kind string, given []string, at, stays time.Duration) (*syntax.Node, error) {
	m := &syntax.Mistakes{}
	timing, settings := plan.SplitArguments(given, m)
	if wrong, ok := errors.AsType[*syntax.MistakesError](m.Err()); ok {
		first := wrong.List()[0]
		return nil, fmt.Errorf("%s; %s", first.What, cmp.Or(first.Hint, "see `brunt explain "+kind+"`"))
	}
	if plan.OnLink(kind, settings) && settings.Get("from") == nil && settings.Get("to") == nil { // there is only one link
		set(settings, "from", word(chaos.LoadName))
		set(settings, "to", word(chaos.TargetName))
	}
	out := &syntax.Node{Kind: syntax.Map}
	if !slices.ContainsFunc([]string{"at", "after", "during", "trigger"},
		func(key string) bool { return timing.Get(key) != nil }) {
		set(out, "at", word(quantity.FormatDuration(rounded(at))))
	}
	if timing.Get("for") == nil && !catalog.Kinds()[kind]().Traits(chaos.Scope{}).OneShot {
		set(out, "for", word(quantity.FormatDuration(stays)))
	}
	for _, f := range timing.Fields {
		set(out, f.Key, f.Value)
	}
	set(out, kind, settings)
	return out, nil
}

// rounded rounds a time down to be readable: to whole seconds from 5 s on, otherwise to tenths of a second, at least
// 0.1 s.
func rounded(d time.Duration) time.Duration {
	if d >= 5*time.Second {
		return d.Truncate(time.Second)
	}
	return max(d.Truncate(100*time.Millisecond), 100*time.Millisecond)
}

func word(s string) *syntax.Node { return &syntax.Node{Kind: syntax.String, Value: s} }

func set(n *syntax.Node, key string, value *syntax.Node) {
	n.Fields = append(n.Fields, syntax.Field{Key: key, Value: value})
}

// fields splits a text at blanks that are outside of quotes, brackets and braces. It removes quotes around a whole
// value.
func fields(s string) []string {
	var out []string
	var b strings.Builder
	var quote rune
	depth, begun := 0, false
	for _, r := range s {
		switch {
		case quote != 0:
			if r != quote || depth > 0 {
				b.WriteRune(r)
			}
			if r == quote {
				quote = 0
			}
			continue
		case r == '\'' || r == '"':
			quote, begun = r, true
			if depth > 0 {
				b.WriteRune(r)
			}
			continue
		case r == '[' || r == '{':
			depth++
		case r == ']' || r == '}':
			depth--
		case unicode.IsSpace(r) && depth <= 0:
			if begun {
				out = append(out, b.String())
			}
			b.Reset()
			begun = false
			continue
		}
		b.WriteRune(r)
		begun = true
	}
	if begun {
		out = append(out, b.String())
	}
	return out
}
