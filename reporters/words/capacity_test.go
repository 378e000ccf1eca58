package words_test

import (
	"strings"
	"testing"

	"brunt/reporters/words"
	"brunt/scenarios/result"
	"brunt/scenarios/result/search"
)

func TestCapacityAnswer(t *testing.T) {
	c := &search.Capacity{
		Found:    search.Found{Low: 1220, High: 1250, Tries: make([]search.Try, 17)},
		Interval: search.Interval{Low: 1210, High: 1260},
	}
	said := func() string { return strings.Join(words.CapacityAnswer(c), " | ") }
	if got := said(); got != "between 1210/s and 1260/s (17 probes)" {
		t.Errorf("alone: %s", got)
	}
	c.Peak = c.Demanded(1230)
	if got := said(); !strings.HasSuffix(got, " | A peak of 1230/s is not certain to fit.") {
		t.Errorf("alone, with a peak: %s", got)
	}
	c.Under = []search.Under{
		{
			Held: search.Held{Without: "posts[1]"}, Found: search.Found{Low: 645, High: 665},
			Interval: search.Interval{Low: 640, High: 670}, Share: &search.Interval{Low: .508, High: .5537},
			Transient: &search.Transient{Rate: 121, Lasted: 1.2, Failed: 14, Impact: result.Impacted},
		},
		{
			Held: search.Held{During: "slow-store"}, Found: search.Found{High: 121},
			Interval:  search.Interval{High: 121},
			Transient: &search.Transient{Rate: 121, Lasted: result.NaN, Failed: 9, Impact: result.NotRecovered},
		},
		{
			Held: search.Held{Without: "zone=a"}, Found: search.Found{Low: 900, Limited: 950},
			Interval: search.Interval{Low: 900},
		},
	}
	c.Peak, c.AtLeast = c.Demanded(900), c.Demanded(100)
	want := "all: between 1210/s and 1260/s; without posts[1]: between 640/s and 670/s (50 to 56 %); during slow-store: " +
		"less than 121/s; without zone a: at least 900/s; the generator reached its limit at 950/s, before the target did" +
		" | A peak of 900/s fits with all; it does not fit without posts[1], and it does not fit during slow-store, and it " +
		"fits without zone a. | The demanded 100/s fits with all; it fits without posts[1], and it is not certain to fit " +
		"during slow-store, and it fits without zone a."
	if got := said(); got != want {
		t.Errorf("it says\n%s\nwant\n%s", got, want)
	}
	details := strings.Join(words.CapacityDetails(c), "\n")
	for _, want := range []string{
		"without posts[1]: at a low load of 121/s requests were good again 1.2s after its injection, 14 requests bad; " +
			"rates were judged after that",
		"during slow-store: at a low load of 121/s requests were not good again while the fault was in, 9 requests bad",
	} {
		if !strings.Contains(details, want) {
			t.Errorf("the details lack %q:\n%s", want, details)
		}
	}
}

// TestCapacityUnfinished: a search that decided no rate names no limit, and counts the probes that show nothing.
func TestCapacityUnfinished(t *testing.T) {
	tries := make([]search.Try, 15)
	for i := range tries[1:] {
		tries[i].Answer = search.Disturbed
	}
	for _, c := range []struct {
		f    search.Found
		want string
	}{
		{
			search.Found{Tries: tries},
			"not found: no rate was decided after 15 probes, 14 of which show nothing",
		},
		{search.Found{Tries: make([]search.Try, 2)}, "not found: no rate was decided after 2 probes"},
		{search.Found{Low: 50, Tries: tries}, "not found: after 15 probes the limit is above 50/s"},
		{search.Found{High: 80, Tries: tries}, "not found: after 15 probes the limit is above 0/s and below 80/s"},
	} {
		if got := words.CapacityUnfinished(&c.f); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}
