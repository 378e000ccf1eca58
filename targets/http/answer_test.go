package http_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/targets"
)

// Behaviours of a server, and the outcome of the request. Each request is sent twice: the
// second shows whether the connection stayed usable.
func TestHTTP_Answers(t *testing.T) {
	big := strings.Repeat("x", 200_000)
	for _, c := range []struct {
		name   string
		step   string // zero means get: /
		answer string
		then   string // after the answer: nothing, close or reset
		want   string
		bytes  int64
		conns  int64 // after two requests
	}{
		{name: "plain", answer: hello, want: "ok 200", bytes: 5, conns: 1},
		{name: "no body", answer: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", want: "ok 200", conns: 1},
		{name: "204", answer: "HTTP/1.1 204 No Content\r\n\r\n", want: "ok 204", conns: 1},
		{name: "304", answer: "HTTP/1.1 304 Not Modified\r\nContent-Length: 900\r\n\r\n", want: "ok 304", conns: 1},
		{name: "head", step: "head: /", answer: "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", want: "ok 200", conns: 1},
		{
			name: "head, chunked", step: "head: /", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
			want: "ok 200", conns: 1,
		},
		{name: "chunked", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: " +
			"chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n", want: "ok 200", bytes: 7, conns: 1},
		{
			name:   "chunked with a trailer",
			answer: "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n",
			want:   "ok 200", bytes: 3, conns: 1,
		},
		{
			name:   "chunked, without the last line",
			answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n", then: "close", want: "ok 200",
			bytes: 3, conns: 2,
		},
		{name: "to the end", answer: "HTTP/1.1 200 OK\r\n\r\nabc", then: "close", want: "ok 200", bytes: 3, conns: 2},
		{
			name: "http/1.0", answer: "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", then: "close", want: "ok 200", bytes: 3,
			conns: 2,
		},
		{
			name: "http/1.0 kept alive", answer: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc",
			want: "ok 200", bytes: 3, conns: 1,
		},
		{
			name: "close announced", answer: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
			want: "ok 200", bytes: 3, conns: 2,
		},
		{
			name:   "close announced in other words",
			answer: "HTTP/1.1 200 OK\r\nConnection: foo, Close\r\nContent-Length: 3\r\n\r\nabc", want: "ok 200", bytes: 3,
			conns: 2,
		},
		{name: "more than announced", answer: hello + "x", want: "ok 200", bytes: 5, conns: 2},
		{name: "continue first", answer: "HTTP/1.1 100 Continue\r\n\r\n" + hello, want: "ok 200", bytes: 5, conns: 1},
		{
			name: "several before",
			answer: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 " +
				"Processing\r\n\r\n" + hello,
			want: "ok 200", bytes: 5, conns: 1,
		},
		{
			name: "switching protocols", answer: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", want: "ok 101",
			conns: 2,
		},
		{
			name: "huge header", answer: "HTTP/1.1 200 OK\r\nX-A: " + big + "\r\nContent-Length: 5\r\n\r\nhello", want: "ok 200",
			bytes: 5, conns: 1,
		},
		{
			name: "header without end", answer: "HTTP/1.1 200 OK\r\n" + strings.Repeat("X-A: "+big+"\r\n", 6), want: "protocol",
			conns: 2,
		},
		{
			name: "huge body", answer: "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + big, want: "ok 200", bytes: 200000,
			conns: 1,
		},
		{
			name: "huge chunk", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
				fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(big), big),
			want: "ok 200", bytes: 200000, conns: 1,
		},
		{
			name: "huge body looked into", step: `{get: /, check: {body: "~ x{10}"}}`,
			answer: "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + big,
			want:   "ok 200", bytes: 200000, conns: 1,
		},
		{
			name: "truncated body", answer: "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", then: "close", want: "closed",
			conns: 2,
		},
		{
			name: "truncated huge body", answer: "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + big, then: "close",
			want: "closed", conns: 2,
		},
		{
			name: "truncated chunk", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc", then: "close",
			want: "closed", conns: 2,
		},
		{
			name: "truncated between chunks", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
			then: "close", want: "closed", conns: 2,
		},
		{name: "truncated header", answer: "HTTP/1.1 200 OK\r\nConte", then: "close", want: "closed", conns: 2},
		{name: "truncated at once", answer: "H", then: "close", want: "closed", conns: 2},
		{name: "nothing", then: "close", want: "closed", conns: 2},
		{name: "reset", then: "reset", want: "reset", conns: 2},
		{name: "reset within the header", answer: "HTTP/1.1 200 OK\r\nConte", then: "reset", want: "reset", conns: 2},
		{name: "garbage", answer: "SSH-2.0-OpenSSH_9.2p1\r\n", want: "protocol", conns: 2},
		{name: "garbage that could become HTTP", answer: "HTTP/1.1\r\n\r\n", want: "protocol", conns: 2},
		{name: "status that is none", answer: "HTTP/1.1 20 OK\r\n\r\n", want: "protocol", conns: 2},
		{name: "bad header", answer: "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", want: "protocol", conns: 2},
		{name: "bad length", answer: "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", want: "protocol", conns: 2},
		{
			name: "endless length", answer: "HTTP/1.1 200 OK\r\nContent-Length: 9000000000000000000\r\n\r\nabc", then: "close",
			want: "closed", conns: 2,
		},
		{
			name: "endless length looked into", step: `{get: /, check: {body: abc}}`,
			answer: "HTTP/1.1 200 OK\r\nContent-Length: 9000000000000000000\r\n\r\nabc",
			then:   "close", want: "closed", conns: 2,
		},
		{
			name: "bad chunk", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", want: "protocol",
			conns: 2,
		},
		{
			name: "endless chunk", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\nabc",
			then: "close", want: "closed", conns: 2,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url := script(t, func(p *peer) {
				for p.request() != "" {
					p.say(c.answer)
					switch c.then {
					case "close":
						return
					case "reset":
						if c.answer != "" {
							time.Sleep(20 * time.Millisecond) // simulates work, so that the reset does not overtake the answer
						}
						p.reset()
						return
					}
				}
			})
			if c.step == "" {
				c.step = "get: /"
			}
			r := newFixture(t, targets.Options{Base: url}, c.step)
			u := r.user(0)
			for range 2 {
				o := u.Do(0, long)
				r.want(o, c.want)
				if o.Bytes != c.bytes {
					t.Errorf("%d bytes, want %d", o.Bytes, c.bytes)
				}
				if o.Answered != (o.Kind == scenarios.OK) || !o.WasSent {
					t.Errorf("sent %v, answered %v", o.WasSent, o.Answered)
				}
			}
			if r.Opened() != c.conns {
				t.Errorf("%d connections opened, want %d", r.Opened(), c.conns)
			}
		})
	}
}

// A body beyond the limit fails its own request and nothing else, whether its length is known before or not. max_body
// sets the limit.
func TestHTTP_BodyLimit(t *testing.T) {
	if testing.Short() {
		t.Skip("some 100 MiB over loopback")
	}
	piece := strings.Repeat("x", 1<<20)
	url := script(t, func(p *peer) {
		for {
			r := p.request()
			if r == "" {
				return
			}
			n := 64
			if strings.Contains(r, "/more") {
				n = 100
			}
			if strings.Contains(r, "/chunked") {
				p.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
				for range n {
					p.say("100000\r\n" + piece + "\r\n")
				}
				p.say("0\r\n\r\n")
				continue
			}
			p.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", n<<20))
			for range n {
				p.say(piece)
			}
		}
	})
	k := &samples{}
	r := newFixture(t, targets.Options{Base: url, Sampler: k}, `{get: /, check: {body: "~ ^x{9}"}}`,
		`{get: /more, check: {body: "~ ^x{9}"}}`, `get: /more`,
		`{get: /more/chunked, check: {body: "~ ^x{9}"}}`, `{get: /more/chunked, check: {body: "~ ^x{9}", max_body: 1MiB}}`,
		`{get: /more, check: {body: "~ ^x{9}", max_body: 100MiB}}`, `{get: /, check: {body: "~ ^x{9}", max_body: 1KiB}}`)
	u := r.user(0)
	r.want(u.Do(0, long), "ok 200")
	for _, c := range []struct {
		step int
		want string
		says string
	}{
		{1, "too large", "over 64MiB"},
		{2, "ok 200", ""}, // no check reads it
		{3, "too large", ""},
		{4, "too large", "over 1MiB, the most that checks and extractions look into; `check: {max_body: …}` of the step " +
			"raises it"},
		{5, "ok 200", ""},
		{6, "too large", "over 1KiB"},
		{0, "ok 200", ""},
	} {
		r.want(u.Do(c.step, long), c.want)
		if c.says != "" && !strings.Contains(k.last().Message, c.says) {
			t.Errorf("step %d: message %q", c.step, k.last().Message)
		}
	}
}

// An answer that comes byte by byte is read until the deadline.
func TestHTTP_Drip(t *testing.T) {
	url := script(t, func(p *peer) {
		for p.request() != "" {
			for _, b := range []byte(hello) {
				p.say(string(b))
				time.Sleep(time.Millisecond) // simulates work
			}
		}
	})
	r := newFixture(t, targets.Options{Base: url}, "get: /")
	u := r.user(0)
	o := u.Do(0, long)
	r.want(o, "ok 200")
	if o.First-o.Sent > o.End-o.First {
		t.Errorf("first byte at %v, last at %v, sent at %v", o.First, o.End, o.Sent)
	}
	o = u.Do(0, 20*time.Millisecond)
	r.want(o, "timeout")
	if o.End != u.It.Deadline {
		t.Errorf("ended at %v, the deadline was %v", o.End, u.It.Deadline)
	}
}

// An answer after the deadline is late, even if the connection's own deadline has not passed.
func TestHTTP_LateByAHair(t *testing.T) {
	const timeout = 20 * time.Millisecond
	url := script(t, func(p *peer) {
		for p.request() != "" {
			time.Sleep(timeout + time.Millisecond) // simulates work
			p.say(hello)
		}
	})
	r := newFixture(t, targets.Options{Base: url, Timeout: 10 * time.Second}, "get: /")
	u := r.user(0)
	for range 20 {
		o := u.Do(0, timeout)
		r.want(o, "timeout")
		if o.End != u.It.Deadline || o.Answered {
			t.Errorf("ended at %v for %v, answered %v", o.End, u.It.Deadline, o.Answered)
		}
	}
}

// A server that refuses a body answers without reading it; the answer counts.
func TestHTTP_EarlyAnswer(t *testing.T) {
	url := script(t, func(p *peer) {
		for { // the header only
			line, err := p.br.ReadString('\n')
			if err != nil {
				return
			}
			if line == "\r\n" {
				break
			}
		}
		p.say("HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		// The server closes with unread bytes, which resets the connection.
	})
	r := newFixture(t, targets.Options{Base: url}, `{post: /, body: "${var.x}"}`)
	u := r.user(0)
	u.It.Vars[0].SetText(strings.Repeat("x", 1_000_000))
	answered := 0
	for range 20 {
		o := u.Do(0, long)
		switch s := r.says(o); s {
		case "status 413":
			answered++
		case "reset": // the reset overtook the answer: the kernel has dropped the answer
		default:
			t.Errorf("got %q", s)
		}
	}
	if answered == 0 {
		t.Error("no answer was found")
	}
	t.Logf("%d of 20 answers were found", answered)
}

// A request larger than the socket buffer is sent whole.
func TestHTTP_LargeRequest(t *testing.T) {
	const size = 8 << 20
	body := strings.Repeat("0123456789abcdef", size/16)
	url := script(t, func(p *peer) {
		_ = p.Conn.(*net.TCPConn).SetReadBuffer(64 << 10)
		p.br = bufio.NewReaderSize(p.Conn, 4096)
		for {
			r := p.request()
			if r == "" {
				return
			}
			if _, got, _ := strings.Cut(r, "\r\n\r\n"); got != body {
				t.Errorf("%d bytes came", len(got))
			}
			p.say(hello)
		}
	})
	r := newFixture(t, targets.Options{Base: url}, `{post: /, body: "${var.x}"}`)
	u := r.user(0)
	u.It.Vars[0].SetText(body)
	for range 2 {
		o := u.Do(0, long)
		r.want(o, "ok 200")
		if o.Sent <= o.Slot {
			t.Errorf("slot %v, sent %v", o.Slot, o.Sent)
		}
	}
	if r.Opened() != 1 {
		t.Errorf("%d connections", r.Opened())
	}
}
