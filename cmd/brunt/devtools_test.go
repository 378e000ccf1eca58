package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"brunt/scenarios/suite"
)

// A tab is a tab of Chromium, controlled by its devtools protocol over a pipe.
type tab struct {
	t       *testing.T
	in      io.Writer
	session string

	mu       sync.Mutex
	n        int
	answers  map[int]chan json.RawMessage
	problems []string // of scripts, the console, the page's policy and the network
}

// newTab starts Chromium with one empty tab.
func newTab(t *testing.T, width, height int) *tab {
	t.Helper()
	path := suite.Program(t, "chromium", "chromium")
	theirIn, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--user-data-dir="+t.TempDir(),
		fmt.Sprintf("--window-size=%d,%d", width, height),
		"--remote-debugging-pipe", "about:blank")
	cmd.ExtraFiles = []*os.File{theirIn, theirOut} // descriptors 3 and 4
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = theirIn.Close()
	_ = theirOut.Close()
	b := &tab{t: t, in: in, answers: map[int]chan json.RawMessage{}}
	var reading sync.WaitGroup
	reading.Go(func() { b.read(out) })
	t.Cleanup(func() {
		b.session = ""
		b.send("Browser.close", nil)
		if err := cmd.Wait(); err != nil {
			t.Logf("chromium: %v", err)
		}
		_ = in.Close()
		reading.Wait()
		_ = out.Close()
	})
	var made struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &made)
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": made.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		b.call(domain+".enable", nil, nil)
	}
	b.call("Emulation.setDeviceMetricsOverride",
		map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}, nil)
	return b
}

// read receives the browser's messages until the browser ends.
func (b *tab) read(r io.Reader) {
	in := bufio.NewReaderSize(r, 1<<20)
	for {
		text, err := in.ReadBytes(0)
		if err != nil {
			return
		}
		var m struct {
			ID     int
			Method string
			Result json.RawMessage
			Error  *struct{ Message string }
			Params struct {
				Type             string
				Args             []struct{ Value any }
				ExceptionDetails struct {
					Text      string
					Exception struct{ Description string }
				}
				Entry struct{ Level, Text, URL string }
			}
		}
		if json.Unmarshal(text[:len(text)-1], &m) != nil {
			continue
		}
		b.mu.Lock()
		switch p := m.Params; {
		case m.ID > 0:
			if c := b.answers[m.ID]; c != nil {
				if m.Error != nil {
					b.problems = append(b.problems, "devtools: "+m.Error.Message)
				}
				c <- m.Result
			}
			delete(b.answers, m.ID)
		case m.Method == "Runtime.exceptionThrown":
			b.problems = append(b.problems, p.ExceptionDetails.Text+" "+p.ExceptionDetails.Exception.Description)
		case m.Method == "Runtime.consoleAPICalled" && (p.Type == "error" || p.Type == "warning"):
			b.problems = append(b.problems, fmt.Sprint(p.Args))
		case m.Method == "Log.entryAdded" && p.Entry.Level == "error":
			b.problems = append(b.problems, p.Entry.Text+" "+p.Entry.URL)
		}
		b.mu.Unlock()
	}
}

func (b *tab) send(method string, params any) chan json.RawMessage {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n++
	c := make(chan json.RawMessage, 1)
	b.answers[b.n] = c
	m := map[string]any{"id": b.n, "method": method}
	if params != nil {
		m["params"] = params
	}
	if b.session != "" {
		m["sessionId"] = b.session
	}
	text, _ := json.Marshal(m)
	_, _ = b.in.Write(append(text, 0))
	return c
}

// call sends a command to the browser and waits for the answer.
func (b *tab) call(method string, params, into any) {
	b.t.Helper()
	select {
	case got := <-b.send(method, params):
		if into != nil {
			if err := json.Unmarshal(got, into); err != nil {
				b.t.Fatalf("%s: %v: %s", method, err, got)
			}
		}
	case <-time.After(time.Minute):
		b.t.Fatalf("chromium does not answer to %s", method)
	}
}

func (b *tab) open(url string) {
	b.t.Helper()
	b.call("Page.navigate", map[string]any{"url": url}, nil)
}

// eval returns the value of an expression in the page, as JSON decodes it.
func (b *tab) eval(expression string) any {
	b.t.Helper()
	var r struct {
		Result           struct{ Value any }
		ExceptionDetails *struct {
			Exception struct{ Description string }
		}
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}, &r)
	if r.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, r.ExceptionDetails.Exception.Description)
	}
	return r.Result.Value
}

// until waits until an expression is true.
func (b *tab) until(what, expression string) {
	b.t.Helper()
	if !suite.Within(time.Minute, func() bool { return b.eval(expression) == true }) {
		b.t.Fatalf("%s: waited in vain for %s; errors: %v\n%v", what, expression, b.complaints(),
			b.eval("document.body.innerText"))
	}
}

// shot saves a picture of the tab in the folder BRUNT_SHOTS.
func (b *tab) shot(name string) {
	b.t.Helper()
	dir := os.Getenv("BRUNT_SHOTS")
	if dir == "" {
		return
	}
	var r struct{ Data string }
	b.call("Page.captureScreenshot", map[string]any{"captureBeyondViewport": false}, &r)
	if png, err := base64.StdEncoding.DecodeString(r.Data); err == nil {
		_ = os.WriteFile(dir+"/"+name+".png", png, 0o644)
	}
}

// complaints returns the problems of the page so far.
func (b *tab) complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.problems
}
