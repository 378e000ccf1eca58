package reporters

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// seen is what a person sees of a page in a window of some width.
type seen struct {
	Text     string   // all of it
	Above    string   // what stands in the first 800 pixels
	Overflow int      // pixels that the page is wider than the window
	Hidden   []string // parts that are there and have no size
	Cursor   string   // what the cursor says when the pointer rests on a chart
	Values   int      // figures in legends at the pointer
	Zoomed   bool     // the time axis is another after dragging over half a chart
	Whole    bool     // a double click shows the whole run again
	Sorted   string   // first and last figure of the phases' table, once sorted by it
	Ink      string   // colour of the text
	Paper    string   // and of what is behind it
	Errors   []string // of scripts, and violations of the page's own policy
}

// eyes shows the page in a frame and writes down what is to be seen, as JSON in its
// own body. A frame without scripts can still be looked into from outside.
const eyes = `<!doctype html><meta charset=utf-8><body><script>
const o = {Errors: [], Hidden: []}, f = document.createElement('iframe');
f.style = 'border:0;width:' + WIDTH + 'px;height:800px';
if (!SCRIPTS) f.sandbox = 'allow-same-origin';
f.src = '/page';
f.onload = () => {
  const w = f.contentWindow, d = w.document, root = d.documentElement;
  w.onerror = m => { o.Errors.push(String(m)); };
  d.addEventListener('securitypolicyviolation', e => o.Errors.push('policy: ' + e.violatedDirective));
  o.Text = d.body.innerText;
  for (const e of d.querySelectorAll('h1, h2, h3, p, td, th, dd')) if (e.getBoundingClientRect().top < 800 && e.innerText) o.Above = (o.Above || '') + e.innerText + '\n';
  o.Overflow = root.scrollWidth - root.clientWidth;
  for (const s of d.querySelectorAll('section, .frame, table.sort')) if (!s.closest('details') && (s.clientHeight < 10 || s.clientWidth < 10)) o.Hidden.push(s.id || s.className);
  const style = w.getComputedStyle(d.body);
  o.Ink = style.color; o.Paper = w.getComputedStyle(root).backgroundColor === 'rgba(0, 0, 0, 0)' ? style.backgroundColor : w.getComputedStyle(root).backgroundColor;
  const chart = d.querySelector('.frame[data-time]');
  if (SCRIPTS && chart) {
    w.Element.prototype.setPointerCapture = () => {};
    const r = chart.getBoundingClientRect(), at = (type, x) => chart.dispatchEvent(new w.PointerEvent(type, {clientX: r.left + r.width * x, clientY: r.top + 9, pointerType: 'mouse', button: 0, bubbles: true}));
    const axis = () => chart.innerText + [...chart.querySelectorAll('.xaxis span')].filter(e => !e.hidden).map(e => e.textContent).join(' ');
    at('pointermove', .5);
    o.Cursor = [...chart.querySelectorAll('.cur')].filter(e => !e.hidden).map(e => e.textContent).join(' ');
    o.Values = [...d.querySelectorAll('.legend b[data-s]')].filter(e => /[0-9]/.test(e.textContent)).length;
    at('pointerleave', .5);
    const before = axis();
    at('pointerdown', .2); at('pointermove', .5); at('pointerup', .7);
    o.Zoomed = axis() !== before;
    at('dblclick', .5);
    at('pointerleave', .5);
    o.Whole = axis() === before;
    const table = d.querySelector('#phases table.sort'), heads = [...table.tHead.rows[0].cells];
    const col = heads.findIndex(h => /p95/.test(h.textContent));
    heads[col].querySelector('button').click();
    const rows = [...table.tBodies].map(b => [...b.rows].filter(r => !r.matches('.group, .sum'))).find(rows => rows.length > 1);
    o.Sorted = rows.map(r => r.cells[col].dataset.v || r.cells[col].textContent).join(' ');
  }
  setTimeout(() => { const p = document.createElement('pre'); p.id = 'seen'; p.textContent = JSON.stringify(o); document.body.replaceChildren(p); }, 50);
};
document.body.append(f);
</script>`

var seenJSON = regexp.MustCompile(`(?s)<pre id="seen">(.*?)</pre>`)

// browser shows a page in Chromium. What the page asks the network for is an error.
func browser(t *testing.T, page string, width int, scripts, dark bool) seen {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("CI wants Chromium: apt-get install chromium")
		}
		t.Skip("needs Chromium: apt-get install chromium")
	}
	var mu sync.Mutex
	var asked []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		switch r.URL.Path {
		case "/":
			fmt.Fprint(w, strings.NewReplacer("WIDTH", fmt.Sprint(width), "SCRIPTS", fmt.Sprint(scripts)).Replace(eyes))
		case "/page":
			fmt.Fprint(w, page)
		default:
			mu.Lock()
			asked = append(asked, r.URL.String())
			mu.Unlock()
			http.NotFound(w, r)
		}
	}))
	defer s.Close()
	args := []string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--user-data-dir=" + t.TempDir(), "--window-size=1300,900", "--virtual-time-budget=5000",
	}
	if dark {
		args = append(args, "--blink-settings=preferredColorScheme=0")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, append(args, "--dump-dom", s.URL)...).Output()
	if err != nil {
		t.Fatalf("chromium: %v", err)
	}
	m := seenJSON.FindSubmatch(out)
	if m == nil {
		t.Fatalf("the browser showed nothing: %.300s", out)
	}
	var o seen
	if err := json.Unmarshal([]byte(html.UnescapeString(string(m[1]))), &o); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, a := range asked {
		if a != "/favicon.ico" { // the browser's own idea
			t.Errorf("the page asked the network for %s", a)
		}
	}
	return o
}

func TestHTML_InABrowser(t *testing.T) {
	r := fixtures()["minute"]
	page := report(t, HTML{}, r)
	for _, c := range []struct {
		name    string
		width   int
		scripts bool
		dark    bool
	}{
		{"wide", 1200, true, false},
		{"narrow", 400, true, false},
		{"dark", 1200, true, true},
		{"without scripts", 1200, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := browser(t, page, c.width, c.scripts, c.dark)
			for _, want := range []string{r.Name, r.Objectives[0].Text} {
				if !strings.Contains(o.Above, want) {
					t.Errorf("the first screen lacks %q: %s", want, o.Above)
				}
			}
			for _, f := range r.Faults {
				if !strings.Contains(o.Text, f.Name) {
					t.Errorf("the page does not show %s", f.Name)
				}
			}
			if o.Overflow > 0 {
				t.Errorf("the page is %d pixels wider than the window", o.Overflow)
			}
			if len(o.Hidden)+len(o.Errors) > 0 {
				t.Errorf("nothing to be seen of %v; errors %v", o.Hidden, o.Errors)
			}
			if brighter := luminance(t, o.Ink) > luminance(t, o.Paper); brighter != c.dark {
				t.Errorf("ink %s on paper %s", o.Ink, o.Paper)
			}
			if !c.scripts {
				return
			}
			if !strings.Contains(o.Cursor, " to ") || o.Values == 0 {
				t.Errorf("at the pointer: %q and %d figures", o.Cursor, o.Values)
			}
			if !o.Zoomed || !o.Whole {
				t.Errorf("zoomed %v, whole again %v", o.Zoomed, o.Whole)
			}
			var v []float64
			for f := range strings.FieldsSeq(o.Sorted) {
				var x float64
				if _, err := fmt.Sscan(f, &x); err == nil {
					v = append(v, x)
				}
			}
			for i := range v[:max(1, len(v))-1] {
				if v[i] < v[i+1] {
					t.Errorf("sorted by p95, the largest first: %v", v)
				}
			}
			if len(v) < 2 {
				t.Errorf("sorted figures %q", o.Sorted)
			}
		})
	}
}

// luminance of a colour as a browser computes it, roughly.
func luminance(t *testing.T, colour string) int {
	t.Helper()
	var r, g, b int
	if _, err := fmt.Sscanf(strings.TrimPrefix(colour, "rgba"), "rgb(%d, %d, %d", &r, &g, &b); err != nil {
		if _, err := fmt.Sscanf(colour, "rgba(%d, %d, %d", &r, &g, &b); err != nil {
			t.Fatalf("colour %q: %v", colour, err)
		}
	}
	return 2*r + 5*g + b
}
