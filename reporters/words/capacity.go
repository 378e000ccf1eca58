package words

import (
	"fmt"
	"math"
	"strings"

	"brunt/scenarios/result"
	"brunt/scenarios/result/search"
	"brunt/scenarios/syntax"
)

// CapacityAnswer says what a target can take, alone and under each fault, and whether the demanded rates fit. Each item
// is a sentence, the first without its end.
func CapacityAnswer(c *search.Capacity) []string {
	all := rateRange(&c.Found, c.Interval)
	if len(c.Under) == 0 {
		out := []string{all + " (" + probes(len(c.Tries)) + ")"}
		return append(out, beyond(c)...)
	}
	parts := []string{"all: " + all}
	for i := range c.Under {
		u := &c.Under[i]
		text := HeldFault(u.Held) + ": " + rateRange(&u.Found, u.Interval)
		if u.Share != nil {
			text += " (" + shareRange(u.Share) + ")"
		}
		parts = append(parts, text)
	}
	return append([]string{strings.Join(parts, "; ")}, beyond(c)...)
}

// CapacityUnfinished says how far a search came that did not find the capacity.
func CapacityUnfinished(f *search.Found) string {
	if f.Low == 0 && f.High == 0 {
		n := int64(0)
		for i := range f.Tries {
			if f.Tries[i].Answer == search.Disturbed {
				n++
			}
		}
		text := "not found: no rate was decided after " + probes(len(f.Tries))
		if n > 0 {
			text += ", " + Int(n) + " of which show nothing"
		}
		return text
	}
	text := fmt.Sprintf("not found: after %s the limit is above %.4g/s", probes(len(f.Tries)), f.Low)
	if f.High > 0 {
		text += fmt.Sprintf(" and below %.4g/s", f.High)
	}
	return text
}

// HeldFault names a fault that is in while rates are judged.
func HeldFault(h search.Held) string {
	switch zone, ok := strings.CutPrefix(h.Without, "zone="); {
	case ok:
		return "without zone " + Clean(zone)
	case h.Without != "":
		return "without " + Clean(h.Without)
	}
	return "during " + Clean(h.During)
}

// rateRange says the interval of a capacity.
func rateRange(f *search.Found, iv search.Interval) string {
	switch {
	case f.Low == 0 && iv.High > 0:
		return fmt.Sprintf("less than %.4g/s", iv.High)
	case f.High == 0 && f.Limited > 0:
		return fmt.Sprintf("at least %.4g/s; the generator reached its limit at %.4g/s, before the target did", f.Low,
			f.Limited)
	case f.High == 0:
		return fmt.Sprintf("at least %.4g/s, the largest rate tried", f.Low)
	}
	return fmt.Sprintf("between %.4g/s and %.4g/s", iv.Low, iv.High)
}

// shareRange says the share of a capacity in whole percents.
func shareRange(s *search.Interval) string {
	low, high := math.Floor(100*s.Low), math.Ceil(100*s.High)
	if s.Low == 0 {
		return fmt.Sprintf("less than %.0f %%", high)
	}
	return fmt.Sprintf("%.0f to %.0f %%", low, high)
}

func probes(n int) string { return syntax.Amount(n, "probe") }

// beyond says whether the demanded rates fit, and what an overload shows.
func beyond(c *search.Capacity) (out []string) {
	if c.Peak != nil {
		out = append(out, demand(c, c.Peak, "A peak of %.4g/s"))
	}
	if c.AtLeast != nil {
		out = append(out, demand(c, c.AtLeast, "The demanded %.4g/s"))
	}
	if c.Hysteresis != nil {
		out = append(out, Capitalize(Hysteresis(c.Hysteresis))+".")
	}
	return out
}

// demand says whether one rate fits.
func demand(c *search.Capacity, d *search.Demand, format string) string {
	var parts []string
	of := func(fit search.Fit) string {
		return map[search.Fit]string{
			search.Fits: "fits", search.TooMuch: "does not fit", search.Uncertain: "is not certain to fit",
			search.Untried: "could not be tried", // the interval before it says why
		}[fit]
	}
	if len(d.Under) == 0 {
		return fmt.Sprintf(format, d.Rate) + " " + of(d.All) + "."
	}
	same := true
	for i, fit := range d.Under {
		same = same && fit == d.All
		parts = append(parts, of(fit)+" "+HeldFault(c.Under[i].Held))
	}
	if same {
		return fmt.Sprintf(format, d.Rate) + " " + of(d.All) + ", alone and " + underAll(c) + "."
	}
	return fmt.Sprintf(format, d.Rate) + " " + of(d.All) + " with all; it " + strings.Join(parts, ", and it ") + "."
}

func underAll(c *search.Capacity) string {
	var names []string
	for i := range c.Under {
		names = append(names, HeldFault(c.Under[i].Held))
	}
	return strings.Join(names, " and ")
}

// CapacityDetails says more about each search: why the first rate broke that did, and what followed the injection of a
// fault.
func CapacityDetails(c *search.Capacity) (out []string) {
	add := func(of string, f *search.Found) {
		if f.High > 0 && f.Limited > 0 {
			out = append(out, fmt.Sprintf("%sthe interval is not narrower, because the generator kept reaching its limit at %.4g/s",
				of, f.Limited))
		}
		for i := len(f.Tries) - 1; i >= 0; i-- {
			if t := &f.Tries[i]; t.Answer == search.Breaks && t.Rate > f.Low && t.Rate <= f.High*1.0001 {
				out = append(out, fmt.Sprintf("%sat %.4g/s: %s", of, t.Rate, Clean(t.Why)))
				break
			}
		}
	}
	defer func() {
		if c.Hysteresis != nil {
			for _, why := range c.Hysteresis.Limits {
				out = append(out, "the generator fell short up to the end of the overload: "+Clean(why))
			}
		}
	}()
	if len(c.Under) == 0 {
		add("", &c.Found)
		return out
	}
	add("all, ", &c.Found)
	for i := range c.Under {
		u := &c.Under[i]
		if t := u.Transient; t != nil {
			out = append(out, HeldFault(u.Held)+": "+transient(t))
		}
		add(HeldFault(u.Held)+", ", &u.Found)
	}
	return out
}

// transient says what followed the injection of a fault.
func transient(t *search.Transient) string {
	failed := syntax.Amount(int(t.Failed), "request")
	switch at := fmt.Sprintf("at a low load of %.4g/s", t.Rate); {
	case !t.Lasted.Known():
		return fmt.Sprintf("%s requests were not good again while the fault was in, %s bad", at, failed)
	case t.Impact == result.UnknownYet:
		return at + " there were too few requests to see what follows its injection"
	case t.Lasted == 0:
		return at + " no request was bad after its injection"
	default:
		return fmt.Sprintf("%s requests were good again %s after its injection, %s bad; rates were judged after that", at,
			Seconds(t.Lasted), failed)
	}
}
