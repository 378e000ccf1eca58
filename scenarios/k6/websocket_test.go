package k6

import (
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/net/websocket"
)

// TestPlay_WebSocket checks the outcomes of WebSockets with both modules of k6: connects and
// pings are requests, and the rest are metrics.
func TestPlay_WebSocket(t *testing.T) {
	s := httptest.NewServer(websocket.Server{Handler: func(c *websocket.Conn) { // from any origin, or none
		var text string
		for websocket.Message.Receive(c, &text) == nil && websocket.Message.Send(c, text) == nil {
		}
	}})
	t.Cleanup(s.Close)
	for name, text := range map[string]string{
		"k6/ws": `import ws from 'k6/ws'; export const options = { iterations: 2 };
			export default function () { ws.connect(__ENV.URL + '/chat', {}, (s) => {
				s.on('open', () => { s.ping(); s.send('hello'); }); s.on('pong', () => s.close()); s.setTimeout(() => s.close(), 10000); }); }`,
		"k6/websockets": `import { WebSocket } from 'k6/websockets'; export const options = { iterations: 2 };
			export default function () { const s = new WebSocket(__ENV.URL + '/chat');
				s.onopen = () => { s.ping(); s.send('hello'); }; s.onpong = () => s.close(); }`,
	} {
		t.Run(name, func(t *testing.T) {
			c := script(t, text)
			c.Env = map[string]string{"URL": strings.Replace(s.URL, "http", "ws", 1)}
			g, exit := play(t, c)
			if want := map[string]int{"/chat (connect)": 2, "/chat (ping)": 2}; exit.Code != 0 ||
				!reflect.DeepEqual(g.byStep(), want) {
				t.Errorf("%v, %q", g.byStep(), g.exceptions)
			}
			for _, r := range g.requests {
				if r.Failed || !r.Answered || r.Service <= 0 {
					t.Errorf("%+v", r)
				}
			}
			sent := 0.
			for _, m := range g.last().Metrics {
				if m.Name == "ws_msgs_sent" {
					sent = m.Sum
				}
			}
			if sent < 2 {
				t.Errorf("%g messages were sent", sent)
			}
		})
	}
	t.Run("refused", func(t *testing.T) {
		c := script(t, `import { WebSocket } from 'k6/websockets';
			export default function () { const s = new WebSocket('ws://127.0.0.1:1/chat'); s.onerror = () => {}; }`)
		g, _ := play(t, c)
		if len(g.requests) != 1 || !g.requests[0].Failed || g.requests[0].Answered {
			t.Errorf("%+v", g.requests)
		}
	})
	t.Run("outside", func(t *testing.T) {
		c := script(t, `import { WebSocket } from 'k6/websockets';
			export default function () { const s = new WebSocket('ws://192.0.2.1/chat'); s.onerror = (e) => { throw new Error(e.error); }; }`)
		c.Allow = [][]string{{"192.0.2.2"}}
		g, _ := play(t, c)
		if len(g.exceptions) != 1 || !isNotAllowed(g.exceptions[0]) {
			t.Errorf("%q", g.exceptions)
		}
	})
}
