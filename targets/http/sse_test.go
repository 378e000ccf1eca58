package http_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"brunt/targets"
	"brunt/targets/http"
	"brunt/targets/targetstest"
)

const streamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: " +
	"chunked\r\n\r\n"

// chunk returns a piece of a body in chunked encoding.
func chunk(s string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(s), s) }

// streamer sends the pieces of a stream, each when step allows it, and keeps the stream open.
func streamer(t *testing.T, pieces []string, ends bool) (url string, next chan struct{}, seen *recorder) {
	next, seen = make(chan struct{}, 100), &recorder{}
	url = script(t, func(p *peer) {
		for {
			r := p.request()
			if r == "" {
				return
			}
			seen.mu.Lock()
			seen.list = append(seen.list, r)
			seen.mu.Unlock()
			p.say(streamHead)
			for _, s := range pieces {
				<-next
				p.say(chunk(s))
			}
			if ends {
				p.say("0\r\n\r\n")
				continue
			}
			_, _ = p.br.ReadByte() // until the client has enough
			return
		}
	})
	t.Cleanup(func() { close(next) })
	return url, next, seen
}

func TestSSE_Wanted(t *testing.T) {
	pieces := []string{
		": hello\n\nid: 1\nevent: progress\ndata: {\"n\": 1}\n\n",
		"id: 2\nevent: progress\ndata: {\"n\": 2,\nda",
		"ta: \"list\": [5]}\n\n",
		"id: 3\nevent: done\ndata: {\"n\": 3, \"ok\": true}\n\n",
		"data: [DONE]\n\n",
	}
	for _, c := range []struct {
		name, step string
		says       int // pieces that are sent
		want, last string
	}{
		{"one", `{sse: /e, extract: {n: "$.n"}}`, 1, "ok 200", ":1"},
		{"two", `{sse: /e, events: 2, extract: {n: "$.list[0]"}}`, 3, "ok 200", ":5"},
		{"until a type", `{sse: /e, until: {event: done}, check: {"$.ok": true}, extract: {n: "$.n"}}`, 4, "ok 200", ":3"},
		{"until a value", `{sse: /e, until: {"$.n": "> 1"}, extract: {n: "event id"}}`, 3, "ok 200", "2"},
		{"until both", `{sse: /e, until: {"$.n": "> 0", event: done}, extract: {n: "event type"}}`, 4, "ok 200", "done"},
		{"until a text", `{sse: /e, until: {data: "[DONE]"}, extract: {n: "event id"}}`, 5, "ok 200", "3"},
		{
			"a check of the last event", `{sse: /e, events: 2, check: {"$.n": 3}, extract: {n: "$.n"}}`, 3, "check $.n",
			"unset",
		},
		{"a check of its text", `{sse: /e, check: {body: "~ n.: 1"}, extract: {n: "~ n.: ([0-9])"}}`, 1, "ok 200", "1"},
		{
			"a check of a header", `{sse: /e, check: {header: {Content-Type: "~ event-stream"}}, extract: {n: "$.n"}}`, 1,
			"ok 200", ":1",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			url, next, seen := streamer(t, pieces, false)
			for range c.says {
				next <- struct{}{}
			}
			r := newFixture(t, targets.Options{Base: url, Timeout: long}, c.step)
			u := r.user(0)
			o := u.Do(0, long)
			r.want(o, c.want)
			if got := u.Var("n"); got != c.last {
				t.Errorf("extracted %s, want %s", got, c.last)
			}
			if o.First < o.Sent || o.End < o.First || o.Bytes == 0 {
				t.Errorf("%+v", o)
			}
			if got := seen.take()[0]; !strings.HasPrefix(got, "GET /e HTTP/1.1\r\n") ||
				!strings.Contains(got, "Accept: text/event-stream\r\n") {
				t.Errorf("got %q", got)
			}
		})
	}
}

// The response time ends with the last wanted event, and first is the first event, not the
// header.
func TestSSE_Times(t *testing.T) {
	const pause = 80 * time.Millisecond
	url := script(t, func(p *peer) {
		p.request()
		p.say(streamHead)
		time.Sleep(pause) // simulates work
		p.say(chunk("data: 1\n\n"))
		time.Sleep(pause) // simulates work
		p.say(chunk("data: 2\n\n"))
		_, _ = p.br.ReadByte()
	})
	r := newFixture(t, targets.Options{Base: url, Timeout: long}, `{sse: /e, events: 2}`)
	o := r.user(0).Do(0, long)
	r.want(o, "ok 200")
	if first, end := o.First-o.Sent, o.End-o.First; first < pause-pause/10 || end < pause-pause/10 {
		t.Errorf("the first event after %v, the last %v after it", first, end)
	}
}

// A stream read for a fixed time is ok with the events of that time; its response time ends
// with the last event.
func TestSSE_For(t *testing.T) {
	url, next, _ := streamer(t, []string{"data: 1\n\n", "data: 2\n\n", "data: 3\n\n"}, false)
	next <- struct{}{}
	next <- struct{}{}
	r := newFixture(t, targets.Options{Base: url, Timeout: long}, `{sse: /e, for: 150ms, extract: {n: "$"}}`)
	u := r.user(0)
	o := u.Do(0, long)
	r.want(o, "ok 200")
	if took := time.Since(r.t0) - o.Sent; took < 150*time.Millisecond {
		t.Errorf("it read for %v", took)
	}
	if u.Var("n") != ":2" || o.End-o.Sent >= 150*time.Millisecond {
		t.Errorf("%s, %+v", u.Var("n"), o)
	}
}

func TestSSE_Errors(t *testing.T) {
	k := &samples{}
	for _, c := range []struct{ name, step, answer, want, message string }{
		{
			"ends early", `{sse: /e, events: 2}`, streamHead + chunk("data: 1\n\n") + "0\r\n\r\n", "stream",
			"the stream ended after 1 event, and 2 events was wanted",
		},
		{
			"ends before any", `{sse: /e}`, streamHead + "0\r\n\r\n", "stream",
			"the stream ended after 0 events, and an event was wanted",
		},
		{
			"ends within an event", `{sse: /e}`,
			"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 8\r\n\r\ndata: 1\n", "stream",
			"the stream ended after 0 events",
		},
		{
			"never what is wanted", `{sse: /e, until: {event: done}}`, streamHead + chunk("data: 1\n\n") + "0\r\n\r\n", "stream",
			"the event that was wanted",
		},
		{
			"no stream", `{sse: /e}`, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
			"stream", `content type "application/json"`,
		},
		{
			"no content type", `{sse: /e}`, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ndata: 1\n\n", "stream",
			"is not a text/event-stream",
		},
		{
			"no content", `{sse: /e}`, "HTTP/1.1 204 No Content\r\nContent-Type: text/event-stream\r\n\r\n", "stream",
			"status 204",
		},
		{
			"compressed", `{sse: /e}`,
			"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b",
			"stream", "compressed by gzip",
		},
		{"refused", `{sse: /e}`, "HTTP/1.1 503 No\r\nContent-Length: 3\r\n\r\nbye", "status 503", "bye"},
		{"shed", `{sse: /e, check: {shed: 503}}`, "HTTP/1.1 503 No\r\nContent-Length: 3\r\n\r\nbye", "shed 503", ""},
		{"cut", `{sse: /e, events: 2}`, streamHead + chunk("data: 1\n\n") + "5\r\nda", "closed", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := script(t, func(p *peer) {
				p.request()
				p.say(c.answer)
			})
			k.list = nil
			r := newFixture(t, targets.Options{Base: url, Sampler: k, Timeout: long}, c.step)
			o := r.user(0).Do(0, long)
			r.want(o, c.want)
			if got := k.last(); !strings.Contains(got.Message+got.Body, c.message) {
				t.Errorf("the sample says %q %q, want %q", got.Message, got.Body, c.message)
			}
		})
	}
}

// A stream without events times out at the deadline, or with `for` is an error at the end of
// its time.
func TestSSE_Silent(t *testing.T) {
	url, _, _ := streamer(t, []string{"never"}, false)
	r := newFixture(t, targets.Options{Base: url, Timeout: long}, `{sse: /e}`)
	o := r.user(0).Do(0, 100*time.Millisecond)
	r.want(o, "timeout")
	if o.End-o.Intended != 100*time.Millisecond {
		t.Errorf("%+v", o)
	}
	head := script(t, func(p *peer) {
		p.request()
		p.say(streamHead)
		_, _ = p.br.ReadByte()
	})
	r = newFixture(t, targets.Options{Base: head, Timeout: long}, `{sse: /e, for: 50ms}`)
	o = r.user(0).Do(0, long)
	r.want(o, "stream")
	if o.End-o.Slot < 50*time.Millisecond {
		t.Errorf("%+v", o)
	}
}

// A stream with a body is posted; a redirect to it is followed; a later request uses another
// connection.
func TestSSE_Post(t *testing.T) {
	seen := &recorder{}
	url := script(t, func(p *peer) {
		for {
			r := p.request()
			if r == "" {
				return
			}
			seen.mu.Lock()
			seen.list = append(seen.list, r)
			seen.mu.Unlock()
			if strings.HasPrefix(r, "POST /chat ") {
				p.say("HTTP/1.1 307 Moved\r\nLocation: /v2\r\nContent-Length: 0\r\n\r\n")
				continue
			}
			p.say(streamHead + chunk("data: {\"t\": \"hi\"}\n\n") + chunk("data: [DONE]\n\n"))
		}
	})
	r := newFixture(t, targets.Options{Base: url, Timeout: long}, `{sse: /chat, json: {n: 1}, until: {data: "[DONE]"}}`)
	u := r.user(0)
	r.want(u.Do(0, long), "ok 200")
	r.want(u.Do(0, long), "ok 200")
	list := seen.take()
	if len(list) != 4 || !strings.HasPrefix(list[1], "POST /v2 ") || !strings.HasSuffix(list[1], `{"n":1}`) ||
		r.Opened() != 2 {
		t.Errorf("%d connections, %q", r.Opened(), list)
	}
}

func TestSSE_Name(t *testing.T) {
	f := targetstest.Compile(t, http.Descriptor(), "", `sse: "/e/${int(1,2)}"`, `{sse: /e, name: ticks}`)
	if a, b := f.Calls[0].Name(), f.Calls[1].Name(); a != "SSE /e/${int(1,2)}" || b != "ticks" {
		t.Errorf("%q, %q", a, b)
	}
}

func TestSSE_Mistakes(t *testing.T) {
	for _, c := range []struct{ name, step, want string }{
		{"two ends", `{sse: /, events: 2, for: 1s}`, "not both events and for"},
		{"none", `{sse: /, events: 0}`, "`events` must be at least 1"},
		{"no time", `{sse: /, for: 0s}`, "`for` must be more than zero"},
		{"longer than the timeout", `{sse: /, for: 10s}`, "the stream is read for 10s, and a request times out after 10s"},
		{"of a get", `{get: /, events: 2}`, "`events` belongs to an sse step"},
		{"until what", `{sse: /, until: done}`, "until wants a map"},
		{"until misspelt", `{sse: /, until: {evnt: done}}`, `did you mean "event"?`},
		{"until a path", `{sse: /, until: {"$.[": done}}`, "is not a JSON path"},
		{"event of a get", `{get: /, extract: {a: "event id"}}`, "only a step with a stream of events"},
		{"event what", `{sse: /, extract: {a: "event name"}}`, `want "$.path"`},
		{"misspelt", `{ssee: /}`, `did you mean "sse"?`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := targetstest.Try(http.Descriptor(), "", c.step); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
