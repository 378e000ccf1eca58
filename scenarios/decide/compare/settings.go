package compare

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"

	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

// The settings of a run are the values of its scenario by their paths, such as load.read.rate. Runs with equal
// settings can be compared. For other runs this file says which settings differ.

// addressOfTarget replaces the address of the target in settings: the address says where the target runs, not what is
// asked of it.
const addressOfTarget = "${target}"

// longestSetting is the largest value that a record keeps, in bytes. It keeps a digest of a longer one.
const longestSetting = 200

// settingsOf returns the values of a resolved scenario by their paths, such as load.read.rate. Runs with the same key
// have the same settings. The address of the target, meta and hypothesis are left out. The result is nil if the text
// is not a scenario.
func settingsOf(r *result.Result) map[string]string {
	root := syntax.Resolved(r.Scenario)
	if root == nil {
		return nil
	}
	addresses := addressesOf(root.Get("target"))
	out := map[string]string{"faults": "injected"}
	if !r.Chaos {
		out["faults"] = "none"
	}
	root.EachValue(func(at, value string) {
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

// addressesOf returns all spellings of the target's address, the longest first: its URL, host and port, host.
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

// settingsKey returns the digest of settings: records with the same key are comparable.
func settingsKey(settings map[string]string) string {
	h := sha256.New()
	for _, at := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(h, "%d:%s%d:%s", len(at), at, len(settings[at]), settings[at])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// mostDifferences is how many differing settings are named in full.
const mostDifferences = 3

// settingsDiffer says how settings differ from older ones: "rate differs (load.read.rate: 100/s then, 150/s now)".
func settingsDiffer(then, now map[string]string) string {
	paths := map[string]bool{}
	for at, v := range now {
		if old, has := then[at]; !has || old != v {
			paths[at] = true
		}
	}
	for at := range then {
		if _, has := now[at]; !has {
			paths[at] = true
		}
	}
	var names, values []string
	for _, at := range slices.Sorted(maps.Keys(paths)) {
		if len(names) == mostDifferences {
			values = append(values, fmt.Sprintf("and %s more", syntax.Amount(len(paths)-mostDifferences, "setting")))
			break
		}
		names = append(names, strings.TrimPrefix(path.Ext("."+at), "."))
		values = append(values, fmt.Sprintf("%s: %s then, %s now", at, orNone(then, at), orNone(now, at)))
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

// textKey returns the key of a run whose resolved scenario can't be read again: the digest of its text, and of whether
// faults were injected.
func textKey(r *result.Result) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%t\n%s", r.Chaos, r.Scenario))
	return hex.EncodeToString(sum[:8])
}
