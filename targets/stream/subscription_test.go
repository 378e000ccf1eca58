package stream_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

// subscriptions serves graphql-transport-ws: it wants the order of its messages, and sends three events for each
// subscription.
func subscriptions(w http.ResponseWriter, r *http.Request) {
	u := websocket.Upgrader{Subprotocols: []string{"graphql-transport-ws"}}
	c, err := u.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer c.Close()
	end := func(code int, text string) {
		_ = c.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(code, text))
		for {
			if _, _, err := c.ReadMessage(); err != nil { // else what is unread resets the connection
				return
			}
		}
	}
	if c.Subprotocol() == "" {
		end(4406, "Subprotocol not acceptable")
		return
	}
	known := false
	for {
		var m struct {
			ID, Type string
			Payload  struct {
				Query     string
				Variables map[string]string
			}
		}
		_, b, err := c.ReadMessage()
		if err != nil || json.Unmarshal(b, &m) != nil {
			return
		}
		switch {
		case m.Type == "connection_init":
			known = true
			_ = c.WriteMessage(websocket.TextMessage, []byte(`{"type":"connection_ack"}`))
		case m.Type == "subscribe" && !known:
			end(4401, "Unauthorized")
			return
		case m.Type == "subscribe" && !strings.HasPrefix(m.Payload.Query, "subscription"):
			_ = c.WriteMessage(websocket.TextMessage,
				fmt.Appendf(nil, `{"id":%q,"type":"error","payload":[{"message":"no subscription"}]}`, m.ID))
		case m.Type == "subscribe":
			for i := range 3 {
				_ = c.WriteMessage(websocket.TextMessage,
					fmt.Appendf(nil, `{"id":%q,"type":"next","payload":{"data":{"price":{"of":%q,"n":%d}}}}`,
						m.ID, m.Payload.Variables["of"], i))
			}
			_ = c.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `{"id":%q,"type":"complete"}`, m.ID))
		}
	}
}

// TestStream_Subscription: a subscription of GraphQL is a WebSocket with the messages of graphql-transport-ws.
func TestStream_Subscription(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(subscriptions))
	t.Cleanup(s.Close)
	const open = `{ws: /graphql, subprotocols: [graphql-transport-ws], as: prices, name: connect, send: {json: {type: connection_init}}, ` +
		`expect: {$.type: connection_ack}}`
	subscribe := func(query string) string {
		return `{send: {json: {id: "s${message.id}", type: subscribe, payload: {query: "` + query +
			`", variables: {of: tea}}}}, to: prices, name: subscribe, ` +
			`expect: {$.id: "s${message.id}"}, check: {$.type: next, $.payload.data.price.of: tea}}`
	}
	f := newFixture(t, "ws"+strings.TrimPrefix(s.URL, "http"), open,
		subscribe("subscription ($of: String) { price(of: $of) { of n } }"),
		`{await: {$.type: next, $.payload.data.price.n: 2}, from: prices}`, `{await: {$.type: complete}, from: prices}`,
		subscribe("query { price }"),
		`{ws: /graphql, as: other, send: {json: {type: connection_init}}, expect: {$.type: connection_ack}}`)
	u := f.user(t, 0)
	for i := range 4 {
		good(t, u, i)
	}
	if out := u.Do(4, long); !out.Answered || out.Failed == 0 {
		t.Errorf("a query that is no subscription: %+v", out)
	}
	if out := u.Do(5, long); f.flow.Causes().Name(out.Cause) != "close 4406" {
		t.Errorf("without the subprotocol: %q", out.Cause)
	}
	ended(u)
	if n := len(f.of("connect", heldTime)); n != 1 {
		t.Errorf("held %d times", n)
	}
}
