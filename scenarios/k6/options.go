package k6

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Change replaces parts of the script's own executor with settings of the scenario. The zero value changes nothing.
type Change struct {
	Rate float64 `json:"rate,omitempty"` // iterations per second: a constant arrival rate
	// virtual users: a constant number of them; with Rate, the initial number
	VUs      int           `json:"vus,omitempty"`
	MaxVUs   int           `json:"max_vus,omitempty"`  // with Rate, the maximum number of virtual users
	Duration time.Duration `json:"duration,omitempty"` // duration; ramps are stretched or compressed
	Only     string        `json:"only,omitempty"`     // the one scenario of the script to run; empty means all
}

// barrier is how long the script's setup may wait for the setups of other scripts, in addition to its own time.
const barrier = time.Hour

// defaultSetupTimeout is the default of k6.
const defaultSetupTimeout = time.Minute

// shortcuts are the options that define the executor of a script without scenarios.
var shortcuts = []string{"vus", "duration", "iterations", "stages"}

// Apply returns the script's options, as JSON, with the change applied. It adds options that brunt needs in every
// script: tags to attribute samples, and time for setup to wait.
func (c Change) Apply(options []byte) ([]byte, error) {
	o := map[string]any{}
	if err := json.Unmarshal(options, &o); err != nil {
		return nil, fmt.Errorf("the script's options are not an object: %w", err)
	}
	if o == nil {
		o = map[string]any{}
	}
	o["systemTags"] = withVU(o["systemTags"])
	o["setupTimeout"] = milliseconds(durationOf(o["setupTimeout"], defaultSetupTimeout) + barrier)
	if c != (Change{}) {
		if err := c.scenarios(o); err != nil {
			return nil, err
		}
	}
	return json.Marshal(o)
}

// PartOptions returns the options for a part of a script. Its teardown may wait until the other parts have ended, in
// addition to its own time.
func PartOptions(options []byte) ([]byte, error) {
	o := map[string]any{}
	if err := json.Unmarshal(options, &o); err != nil {
		return nil, err
	}
	o["teardownTimeout"] = milliseconds(durationOf(o["teardownTimeout"], defaultSetupTimeout) + barrier)
	return json.Marshal(o)
}

// setupTimeout returns the limit for the script's own setup.
func setupTimeout(options []byte) time.Duration {
	var o struct {
		SetupTimeout any `json:"setupTimeout"`
	}
	_ = json.Unmarshal(options, &o) // k6 reports mistakes in the script
	return durationOf(o.SetupTimeout, defaultSetupTimeout)
}

// neededTags are the tags with which brunt attributes samples. The default of k6 has all of them except vu.
var neededTags = []string{"vu", "status", "method", "name", "group", "check", "error", "error_code", "scenario"}

// defaultTags are the defaults of k6.
var defaultTags = []string{
	"proto", "subproto", "status", "method", "url", "name", "group", "check", "error", "error_code", "tls_version",
	"scenario", "service", "expected_response",
}

func withVU(v any) any {
	list, given := v.([]any)
	tags := map[string]bool{}
	for _, t := range list {
		tags[fmt.Sprint(t)] = true
	}
	if !given {
		for _, t := range defaultTags {
			tags[t] = true
		}
	}
	for _, t := range neededTags {
		tags[t] = true
	}
	return slices.Sorted(maps.Keys(tags))
}

// scenarios applies the change to the script's scenarios.
func (c Change) scenarios(o map[string]any) error {
	all, _ := o["scenarios"].(map[string]any)
	if len(all) == 0 {
		own := map[string]any{}
		for _, key := range shortcuts {
			if v, ok := o[key]; ok && v != nil {
				own[key] = v
			}
		}
		all = map[string]any{"default": fromShortcuts(own)}
	}
	if c.Only != "" {
		one, ok := all[c.Only]
		if !ok {
			return fmt.Errorf("the script has no scenario %q; it has %s", c.Only,
				strings.Join(slices.Sorted(maps.Keys(all)), ", "))
		}
		all = map[string]any{c.Only: one}
	}
	if c.Rate > 0 || c.VUs > 0 || c.Duration > 0 {
		if len(all) > 1 {
			return fmt.Errorf("the script has several scenarios (%s), and rate, vus and duration can be said of one: name it "+
				"by "+
				"`scenario`", strings.Join(slices.Sorted(maps.Keys(all)), ", "))
		}
		for name, v := range all {
			s, ok := v.(map[string]any)
			if !ok {
				return fmt.Errorf("the script's scenario %q is not an object", name)
			}
			changed, err := c.executor(s)
			if err != nil {
				return fmt.Errorf("the script's scenario %q: %w", name, err)
			}
			all[name] = changed
		}
	}
	for _, key := range shortcuts {
		delete(o, key)
	}
	o["scenarios"] = all
	return nil
}

// fromShortcuts makes the scenario that k6 derives from a script's shortcuts.
func fromShortcuts(o map[string]any) map[string]any {
	s := map[string]any{}
	maps.Copy(s, o)
	switch {
	case s["stages"] != nil:
		s["executor"] = "ramping-vus"
		if vus, ok := s["vus"]; ok {
			s["startVUs"] = vus
			delete(s, "vus")
		}
		delete(s, "duration")
		delete(s, "iterations")
	case s["iterations"] != nil:
		s["executor"] = "shared-iterations"
		if d, ok := s["duration"]; ok {
			s["maxDuration"] = d
			delete(s, "duration")
		}
	case s["duration"] != nil:
		s["executor"] = "constant-vus"
	default:
		s["executor"], s["iterations"] = "shared-iterations", 1
	}
	return s
}

// kept are the settings of a scenario that every executor has.
var kept = []string{"exec", "env", "tags", "startTime", "gracefulStop", "options"}

// executor returns a scenario with another executor, or with its own executor and another duration.
func (c Change) executor(s map[string]any) (map[string]any, error) {
	was := durationOf(s["duration"], 0)
	if was == 0 {
		was = stagesLast(s)
	}
	lasts := c.Duration
	if lasts == 0 {
		lasts = was
	}
	out := map[string]any{}
	for _, key := range kept {
		if v, ok := s[key]; ok && v != nil {
			out[key] = v
		}
	}
	if (c.Rate > 0 || c.VUs > 0) && lasts == 0 {
		return nil, fmt.Errorf("its executor %v does not say how long it lasts: say it by `duration`", s["executor"])
	}
	switch {
	case c.Rate > 0:
		rate, unit := wholeRate(c.Rate)
		first := whole(s["preAllocatedVUs"])
		if c.VUs > 0 {
			first = c.VUs
		}
		if first == 0 {
			first = max(1, min(100, int(math.Ceil(c.Rate))))
		}
		most := max(first, whole(s["maxVUs"]))
		if c.MaxVUs > 0 {
			most = c.MaxVUs
			first = min(first, most)
		} else if whole(s["maxVUs"]) == 0 {
			most = max(first, 1000)
		}
		out["executor"], out["rate"], out["timeUnit"] = "constant-arrival-rate", rate, unit
		out["duration"], out["preAllocatedVUs"], out["maxVUs"] = milliseconds(lasts), first, most
		return out, nil
	case c.VUs > 0:
		out["executor"], out["vus"], out["duration"] = "constant-vus", c.VUs, milliseconds(lasts)
		return out, nil
	}
	maps.Copy(out, s)
	switch {
	case s["stages"] != nil:
		drawOut(out, s, float64(c.Duration)/float64(max(1, was)))
	case s["duration"] != nil:
		out["duration"] = milliseconds(c.Duration)
	default:
		out["maxDuration"] = milliseconds(c.Duration)
	}
	return out, nil
}

// drawOut multiplies the duration of each stage by a factor.
func drawOut(out, s map[string]any, by float64) {
	list, _ := s["stages"].([]any)
	stages := make([]any, 0, len(list))
	for _, v := range list {
		stage, _ := v.(map[string]any)
		changed := map[string]any{}
		maps.Copy(changed, stage)
		changed["duration"] = milliseconds(time.Duration(float64(durationOf(stage["duration"], 0)) * by))
		stages = append(stages, changed)
	}
	out["stages"] = stages
}

func stagesLast(s map[string]any) time.Duration {
	list, _ := s["stages"].([]any)
	sum := time.Duration(0)
	for _, v := range list {
		stage, _ := v.(map[string]any)
		sum += durationOf(stage["duration"], 0)
	}
	return sum
}

// wholeRate expresses a rate in whole numbers, which k6 requires.
func wholeRate(perSecond float64) (rate int, unit string) {
	for _, u := range []struct {
		seconds float64
		name    string
	}{{1, "1s"}, {60, "1m"}, {3600, "1h"}} {
		if n := perSecond * u.seconds; math.Abs(n-math.Round(n)) < 1e-9*n && n >= .5 {
			return int(math.Round(n)), u.name
		}
	}
	return max(1, int(math.Round(perSecond*3600))), "1h"
}

func whole(v any) int {
	f, _ := v.(float64)
	return int(f)
}

func milliseconds(d time.Duration) string {
	return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
}

// durationOf parses a duration of k6: a text, which may contain days, or a number of milliseconds. Otherwise it
// returns zero.
func durationOf(v any, zero time.Duration) time.Duration {
	switch v := v.(type) {
	case float64:
		return time.Duration(v * float64(time.Millisecond))
	case string:
		days, rest, has := strings.Cut(v, "d")
		if !has {
			days, rest = "0", v
		}
		n, err := strconv.ParseFloat(days, 64)
		if err != nil {
			return zero
		}
		out := time.Duration(n * 24 * float64(time.Hour))
		if rest == "" {
			return out
		}
		if ms, err := strconv.ParseFloat(rest, 64); err == nil {
			return out + time.Duration(ms*float64(time.Millisecond))
		}
		d, err := time.ParseDuration(rest)
		if err != nil {
			return zero
		}
		return out + d
	}
	return zero
}

// Wrapper returns the script that k6 runs in place of the user's script. It exports everything that the script
// exports, but with changed options, and with a setup that then waits until all scripts are ready. In all parts of a
// script except the first, setup waits for the data of the first part, and teardown does nothing. Path is the path of
// the script.
func Wrapper(path string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") { // C:/…
		path = "/" + path
	}
	from, err := json.Marshal((&url.URL{Scheme: "file", Path: path}).String())
	if err != nil {
		panic(err) // strings always encode
	}
	return strings.ReplaceAll(wrapper, "SCRIPT", string(from))
}

const wrapper = `import * as script from SCRIPT;
import brunt from "k6/x/brunt";
export * from SCRIPT;
export default script.default;
export const options = JSON.parse(brunt._options(JSON.stringify(script.options || {})));
export function setup() {
  brunt._arm();
  const json = brunt._data();
  if (json !== null) {
    brunt._begin("");
    return json === "" ? undefined : JSON.parse(json);
  }
  const begin = (data) => { brunt._begin(data === undefined ? "" : JSON.stringify(data) || ""); return data; };
  const data = script.setup ? script.setup() : undefined;
  return data && typeof data.then === "function" ? data.then(begin) : begin(data);
}
export function teardown(data) {
  brunt._arm();
  return script.teardown && brunt._last() ? script.teardown(data) : undefined;
}
`
