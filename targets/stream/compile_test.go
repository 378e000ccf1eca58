package stream_test

import (
	"strings"
	"testing"

	"brunt/targets/stream"
	"brunt/targets/targetstest"
)

// TestMistakes: what is wrong with a step is told before anything runs.
func TestMistakes(t *testing.T) {
	open := "{ws: /chat, as: chat}"
	for _, c := range []struct{ name, step, want string }{
		{"unknown stream", "{send: hi, to: chta}", `no step before this one opens a stream "chta"; did you mean "chat"?`},
		{"whole URL", `{ws: "ws://127.0.0.1/chat"}`, "want a path such as /chat"},
		{"header of brunt", "{ws: /chat, headers: {upgrade: h2c}}", "header upgrade is brunt's to set"},
		{"no header", `{ws: /chat, headers: {"a b": c}}`, `"a b" is not a header name`},
		{"subprotocol", `{ws: /chat, subprotocols: ["a b"]}`, "is not the name of a subprotocol"},
		{
			"key of another kind", "{await: exists, pace: {rate: 1/s, for: 1s}}",
			"`pace` belongs to a step of send, not of await",
		},
		{"unknown key", "{send: hi, expct: hi}", `unknown key "expct"; did you mean "expect"?`},
		{"pace without rate", "{send: hi, pace: {for: 1s}}", "rate"},
		{"outstanding without expect", "{send: hi, pace: {rate: 1/s, for: 1s, outstanding: 5}}", "waits for no answers"},
		{"random value", `{send: hi, expect: "${int(1,5)}"}`, "${int(1,5)} is another value each time"},
		{"id without a message", `{await: "${message.id}"}`, "the step sends none"},
		{"framing", "{tcp: words}", `"words" does not say how messages are told apart`},
		{"bytes before no length", "{tcp: {after: 1}}", `unknown key "after"`},
		{"bytes before a length", "{tcp: {length: 4, after: 0}}", "1 to 256 bytes come before a length, not 0"},
		{"short message", "{tcp: {length: 4, after: 3}, send: ab}", "has 2 bytes, and 3 come before its length"},
		{"no file", "{send: {file: missing.bin}}", "missing.bin"},
		{"first datagram twice", "{udp: a, send: b}", "`send` belongs to a step of ws, tcp, send, not of udp"},
		{"framing of UDP", "{udp: {length: 2}}", `unknown key "length"`},
		{"large datagram", "{udp: " + strings.Repeat("x", 65508) + "}", "65508 bytes, and a datagram holds at most 65507"},
		{"length", "{tcp: {length: 3}}", "a length has 1, 2, 4 or 8 bytes, not 3"},
		{"two framings", "{tcp: {length: 2, bytes: 3}}", "told apart in one way"},
		{"body alone", `{tcp: {body: "~ ([0-9]+)"}}`, `unknown key "body"`},
		{"body without an expression", `{tcp: {until: ";", body: "([0-9]+)"}}`, "want ~ and a regular expression"},
		{"body without a group", `{tcp: {until: ";", body: "~ [0-9]+"}}`, "0 groups, and one group holds"},
		{"wrong body", `{tcp: {until: ";", body: "~ ^SET ([0-9]+)$"}, send: "SET 4;a;b"}`, "which ends a message"},
		{"absent of many", "{send: hi, pace: {rate: 1/s, for: 1s}, absent: none}", "`absent` is about one answer"},
		{"absent of a close", "{close: chat, absent: none}", "`absent` belongs to a step of ws, tcp, udp, send, await"},
		{"absent of a random value", `{send: hi, absent: "${uuid()}"}`, "another value each time"},
		{"delimiter inside", `{tcp: lines, send: "a\nb"}`, "which ends a message"},
		{"hex", "{send: {hex: xyz}}", "hex: "},
		{"no message", "{send: {text: a, json: {}}}", "a message is one of text, json, hex, base64"},
		{"condition", "{await: {type: bye}}", `unknown condition "type"`},
		{"name", "{ws: /chat, as: My Chat}", "can't name a stream"},
		{"reconnect of nothing", "{ws: /chat, reconnect: {after: 1s}}", "is not held"},
		{"check of nothing", `{ws: /chat, as: other, check: {"$.a": 1}}`, "no message is waited for"},
		{"extraction", "{send: hi, extract: {a: header x}}", `want "$.path", "text" or "~ regexp"`},
		{"unknown check", "{send: hi, check: {status: 200}}", `unknown check "status"`},
		{"unknown placeholder", `{send: "${message.number}"}`, "there is ${message.id}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := targetstest.Try(stream.Descriptor(), "", open, c.step); err == nil ||
				!strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", c.step, err)
			}
		})
	}
	_, err := targetstest.Try(stream.Descriptor(), "", "{send: hi}")
	if err == nil || !strings.Contains(err.Error(), "no step before this one opens a stream under a name") {
		t.Errorf("%v", err)
	}
}
