package html

import (
	"context"
	"slices"
	"testing"

	"brunt/reporters/reporterstest"

	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
)

// TestHTML_Opening logs how long it takes until the page of an hour is shown and usable. It
// asserts no limit: the speed of the machine is no property of the page.
func TestHTML_Opening(t *testing.T) {
	if testing.Short() {
		t.Skip("simulating an hour takes seconds")
	}
	b := open(t, chrome(t), reporterstest.Render(t, Page{}, reporterstest.Hour(100).Result()), display{})
	b.do(performance.Enable())
	spent := func() (seconds float64) { // CPU time of the page's process, all threads
		b.do(chromedp.ActionFunc(func(ctx context.Context) error {
			list, err := performance.GetMetrics().Do(ctx)
			for _, m := range list {
				if m.Name == "ProcessTime" {
					seconds = m.Value
				}
			}
			return err
		}))
		return seconds
	}
	const loads = 9
	var times [4][]float64
	before := spent()
	for range loads {
		b.load("")
		b.wait(`document.documentElement.dataset.ready && performance.getEntriesByName('first-contentful-paint').length`)
		// all in milliseconds since the start of the navigation
		got := see[[]float64](b, `(() => { const n = performance.getEntriesByType('navigation')[0];
			return [n.responseEnd, performance.getEntriesByName('first-contentful-paint')[0].startTime, n.domContentLoadedEventEnd,
				+document.documentElement.dataset.ready]; })()`)
		for i := range times {
			if got[i] <= 0 {
				t.Fatalf("times %v", got)
			}
			times[i] = append(times[i], got[i])
		}
	}
	if cpu := (spent() - before) / loads; cpu <= 0 {
		t.Errorf("%v s of CPU time", cpu)
	} else {
		t.Logf("%.0f ms of CPU time to open it, which other programs don't change", cpu*1e3)
	}
	for i, name := range []string{"read", "first painted", "document complete", "script ready"} {
		slices.Sort(times[i])
		t.Logf("%-18s %4.0f ms, the median of %d; %.0f to %.0f", name, times[i][loads/2], loads, times[i][0],
			times[i][len(times[i])-1])
	}
}
