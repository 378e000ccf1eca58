package compare

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

// addressOfTarget stands in settings for the address of the target, which says where it runs and not what is asked of it.
const addressOfTarget = "${target}"

// longestSetting bounds a value that a record keeps, in bytes. Of a longer one it keeps a digest.
const longestSetting = 200

// settingsOf returns the values of a resolved scenario by their paths, such as load.read.rate: what the runs of one
// key share. The address of the target is not one of them, nor are meta and hypothesis. It is nil for a text that is no scenario.
func settingsOf(r *result.Result) map[string]string {
	nodes := 0
	root := syntax.Read("scenario", []byte(r.Scenario), syntax.NewMistakes(nil, nil), &nodes)
	if root == nil || root.Kind != syntax.Map {
		return nil
	}
	addresses := addressesOf(root.Get("target"))
	out := map[string]string{"faults": "injected"}
	if !r.Chaos {
		out["faults"] = "none"
	}
	flatten(root, "", func(at, value string) {
		if top, _, _ := strings.Cut(at, "."); top == "meta" || top == "hypothesis" {
			return
		}
		for _, a := range addresses {
			if value == a || strings.Contains(a, ":") {
				value = strings.ReplaceAll(value, a, addressOfTarget)
			}
		}
		if len(value) > longestSetting {
			sum := sha256.Sum256([]byte(value))
			value = hex.EncodeToString(sum[:8])
		}
		out[at] = value
	})
	return out
}

// addressesOf returns the texts that mean the address of the target, the longest first: its URL, host and port, host.
func addressesOf(target *syntax.Node) []string {
	var out []string
	urls := []*syntax.Node{target.Get("url")}
	if endpoints := target.Get("endpoints"); endpoints != nil {
		for _, f := range endpoints.Fields {
			urls = append(urls, f.Value)
		}
	}
	for _, n := range urls {
		if n == nil || n.Value == "" {
			continue
		}
		out = append(out, n.Value)
		if u, err := url.Parse(n.Value); err == nil && u.Host != "" {
			out = append(out, u.Scheme+"://"+u.Host, u.Host, u.Hostname())
		}
	}
	slices.SortStableFunc(out, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(out)
}

// flatten calls put with each single value below n, and the path of its keys.
func flatten(n *syntax.Node, at string, put func(at, value string)) {
	switch {
	case len(n.Fields) > 0:
		for _, f := range n.Fields {
			flatten(f.Value, strings.TrimPrefix(at+"."+f.Key, "."), put)
		}
	case len(n.Items) > 0:
		for i, item := range n.Items {
			flatten(item, fmt.Sprintf("%s[%d]", at, i), put)
		}
	default:
		put(at, n.Shown())
	}
}

// keyOf is the digest of settings: records of one key are comparable.
func keyOf(settings map[string]string) string {
	h := sha256.New()
	for _, at := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(h, "%d:%s%d:%s", len(at), at, len(settings[at]), settings[at])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// formerKey is the key of the run in records up to version 3: the digest of the whole resolved scenario, with the target's
// address, and of whether faults were injected.
func formerKey(r *result.Result) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%t\n%s", r.Chaos, r.Scenario))
	return hex.EncodeToString(sum[:8])
}

// Same reports whether o is a record of the same scenario.
func (r *Record) Same(o *Record) bool {
	return r.Key == o.Key || r.Former != "" && r.Former == o.Key || o.Former != "" && o.Former == r.Key
}

// Comparable returns the records of a history that a record is comparable with, the oldest first, and says in sentences which are
// left out, and why. A machine without processors is like every machine.
func (h *History) Comparable(ctx context.Context, r *Record) (records []*Record, left []string, err error) {
	all, err := h.Of(ctx, "", Machine{})
	if err != nil {
		return nil, nil, err
	}
	var others, elsewhere []*Record
	for _, o := range all {
		switch {
		case !r.Same(o):
			others = append(others, o)
		case r.Machine.CPUs > 0 && !o.Machine.Alike(r.Machine):
			elsewhere = append(elsewhere, o)
		default:
			records = append(records, o)
		}
	}
	if n := len(elsewhere); n > 0 {
		verb := "was"
		if n > 1 {
			verb = "were"
		}
		left = append(left, fmt.Sprintf("%s %s made on another kind of machine: %s, and this is %s", scenarios.Amount(n, "record"), verb,
			elsewhere[n-1].Machine, r.Machine))
	}
	return records, append(left, r.apartFrom(others, len(all))...), nil
}

// apartFrom says how the records of other scenarios differ from r. All is how many records there are.
func (r *Record) apartFrom(others []*Record, all int) []string {
	var silent, named int // records that do not say what differs, and those of another name
	names, reasons := map[string]bool{}, map[string]int{}
	for _, o := range others {
		switch {
		case o.Name != r.Name:
			named++
			names[fmt.Sprintf("%q", o.Name)] = true
		case o.Scenario == nil || r.Scenario == nil:
			silent++
		default:
			reasons[o.differs(r)]++
		}
	}
	say := func(n int, why string) string {
		switch {
		case all == 1:
			return "the only record is not of this scenario: " + why
		case n == all:
			return fmt.Sprintf("none of the %d records is of this scenario: %s", n, why)
		case n == 1:
			return fmt.Sprintf("1 of %d records is not of this scenario: %s", all, why)
		}
		return fmt.Sprintf("%d of %d records are not of this scenario: %s", n, all, why)
	}
	var out []string
	for _, why := range slices.SortedFunc(maps.Keys(reasons), func(a, b string) int {
		if d := reasons[b] - reasons[a]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	}) {
		out = append(out, say(reasons[why], why))
	}
	if silent > 0 {
		out = append(out, say(silent, "an older brunt wrote it, whose records count the target's URL and do not say what differs"))
	}
	if named > 0 {
		out = append(out, say(named, "its name is "+strings.Join(slices.Sorted(maps.Keys(names)), ", ")))
	}
	return out
}

// mostDifferences is how many differing settings are named in full.
const mostDifferences = 3

// differs says which settings differ from those of a newer record: "rate differs (load.read.rate: 100/s then, 150/s now)".
func (r *Record) differs(now *Record) string {
	paths := map[string]bool{}
	for at, v := range now.Scenario {
		if old, has := r.Scenario[at]; !has || old != v {
			paths[at] = true
		}
	}
	for at := range r.Scenario {
		if _, has := now.Scenario[at]; !has {
			paths[at] = true
		}
	}
	var names, values []string
	for _, at := range slices.Sorted(maps.Keys(paths)) {
		if len(names) == mostDifferences {
			values = append(values, fmt.Sprintf("and %s more", scenarios.Amount(len(paths)-mostDifferences, "setting")))
			break
		}
		names = append(names, strings.TrimPrefix(path.Ext("."+at), "."))
		values = append(values, fmt.Sprintf("%s: %s then, %s now", at, orNone(r.Scenario, at), orNone(now.Scenario, at)))
	}
	verb := " differs"
	if len(names) > 1 {
		verb = " differ"
	}
	return strings.Join(slices.Compact(names), ", ") + verb + " (" + strings.Join(values, "; ") + ")"
}

func orNone(settings map[string]string, at string) string {
	if v, has := settings[at]; has {
		return v
	}
	return "none"
}
