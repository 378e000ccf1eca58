package grpc_test

import (
	"encoding/binary"
	"net/http"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/grpc"
	"brunt/targets/targetstest"
)

func TestStream_Outcomes(t *testing.T) {
	s := start(t, options{})
	for _, c := range []struct{ name, step, want, extracted string }{
		{
			"to its end", `{grpc: echo.Echo/Watch, message: {number: 3}, check: {$.number: 3}, extract: {v: $.number}}`, "ok 0",
			"3",
		},
		{"an empty one", `{grpc: echo.Echo/Watch}`, "ok 0", ""},
		{"an empty one that is looked into", `{grpc: echo.Echo/Watch, check: {$.number: 3}}`, "error 0 check $.number", ""},
		{"some messages", `{grpc: echo.Echo/Watch, message: {number: 3}, messages: 2, extract: {v: $.number}}`, "ok 0", "2"},
		{
			"some messages of one that goes on", `{grpc: echo.Echo/Watch, message: {number: 3, text: hold}, messages: 3}`,
			"ok 0", "",
		},
		{"too few messages", `{grpc: echo.Echo/Watch, message: {number: 3}, messages: 4}`, "error 0 stream", ""},
		{"until", `{grpc: echo.Echo/Watch, message: {number: 5, text: hold}, until: {$.number: "> 3"}, extract: {v: $.number}}`, "ok 0", "4"},
		{
			"until what never comes", `{grpc: echo.Echo/Watch, message: {number: 3}, until: {$.number: 4}}`, "error 0 stream",
			"",
		},
		{
			"for a time", `{grpc: echo.Echo/Watch, message: {number: 3, text: hold}, for: 30ms, extract: {v: $.number}}`, "ok 0",
			"3",
		},
		{"for a time without a message", `{grpc: echo.Echo/Watch, message: {text: hold}, for: 30ms}`, "error 0 stream", ""},
		{
			"for a time that it is shorter than", `{grpc: echo.Echo/Watch, message: {number: 3}, for: 9s}`, "error 0 stream",
			"",
		},
		{
			"past its deadline", `{grpc: echo.Echo/Watch, message: {number: 3, text: hold}, deadline: 30ms}`, "error 0 timeout",
			"",
		},
		{"a status", `{grpc: echo.Echo/Watch, message: {number: 2, text: fail}}`, "error 5 status NOT_FOUND", ""},
		{
			"a status before the messages", `{grpc: echo.Echo/Watch, message: {number: 2, text: fail}, messages: 3}`,
			"error 5 status NOT_FOUND", "",
		},
		{
			"a status that is wanted",
			`{grpc: echo.Echo/Watch, message: {number: 2, text: fail}, check: {status: NOT_FOUND, $.number: 2}}`, "ok 5", "",
		},
		{"placeholders", `{grpc: echo.Echo/Watch, message: {number: "${int(3,3)}"}, extract: {v: $.number}}`, "ok 0", "3"},
		{"sent", `{grpc: echo.Echo/Gather, send: [{number: 1, text: a}, {number: 2, text: b}], check: {$.number: 3}, extract: {v: $.text}}`, "ok 0", "ab"},
		{
			"sent with placeholders",
			`{grpc: echo.Echo/Gather, send: [{number: "${int(3,3)}"}, {number: 2}], extract: {v: $.number}}`, "ok 0", "5",
		},
		{"nothing sent", `{grpc: echo.Echo/Gather, send: [], check: {$.number: 0}}`, "ok 0", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, s, targets.Options{}, c.step)
			u := f.user(t, 0)
			for range 2 { // the second is from what the first prepared
				out := u.Do(0, long)
				if got := f.got(out); got != c.want {
					t.Errorf("got %s, want %s", got, c.want)
				}
				if c.extracted != "" && u.Var("v") != c.extracted {
					t.Errorf("extracted %q, want %q", u.Var("v"), c.extracted)
				}
			}
			if f.Opened() != 1 {
				t.Errorf("%d connections: a stream that is left must not end its connection", f.Opened())
			}
		})
	}
}

// Each message of a stream is measured from the one before, the first one from the call.
func TestStream_Parts(t *testing.T) {
	type part struct {
		n   int
		out scenarios.Outcome
	}
	var parts []part
	o := targets.Options{Emit: func(_ *template.Iter, _ scenarios.Call, n int, out *scenarios.Outcome) {
		parts = append(parts, part{n, *out})
	}}
	f := newFixture(t, start(t, options{}), o, `{grpc: echo.Echo/Watch, message: {number: 3}}`, `grpc: echo.Echo/Say`)
	u := f.user(t, 0)
	out := u.Do(0, long)
	u.Do(1, long) // has none
	if got := strings.Join(grpc.Descriptor().Parts(f.Calls[0]), ", "); got != "first message, message" ||
		len(grpc.Descriptor().Parts(f.Calls[1])) > 0 {
		t.Errorf("the parts are %s", got)
	}
	if len(parts) != 3 || parts[0].n != 0 || parts[1].n != 1 || parts[2].n != 1 {
		t.Fatalf("%+v", parts)
	}
	first := parts[0].out
	if first.Intended != out.Intended || first.Slot != out.Slot || first.Sent != out.Sent || first.End != out.First ||
		first.Bytes != 2 {
		t.Errorf("%+v of %+v", first, out)
	}
	for i, p := range parts[1:] {
		if p.out.Intended != parts[i].out.End || p.out.Slot != parts[i].out.End || p.out.End < p.out.Intended ||
			p.out.End > out.End || !p.out.Answered {
			t.Errorf("%+v after %+v", p.out, parts[i].out)
		}
	}
	if !grpc.Descriptor().Lasts(f.Calls[0]) || grpc.Descriptor().Lasts(f.Calls[1]) {
		t.Error("a stream lasts, and a call does not")
	}
}

// A stream that is not one is an error of the protocol, and brunt takes no memory on a server's word.
func TestStream_Nonsense(t *testing.T) {
	message := func(n uint32, text string) string { return string(binary.BigEndian.AppendUint32([]byte{0}, n)) + text }
	for _, c := range []struct{ name, body, want string }{
		{"compressed", "\x01\x00\x00\x00\x00", "the message is compressed, which was not asked for"},
		{"half a prefix", "\x00\x00", "the stream ended inside a message"},
		{"half a message", message(5, "abc"), "the stream ended inside a message"},
		{"a prefix alone", message(5, ""), "the stream ended inside a message"},
		{"too long", message(1<<31, "abc"), "a message has 2147483648 bytes, over the 64 MiB that brunt reads"},
		{"not the type", message(2, "\x08\xff"), "the message is no echo.Ask"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := new(sampler)
			flow := targetstest.Compile(t, grpc.Descriptor(), "", `{grpc: echo.Echo/Watch, until: {$.number: 1}}`)
			if err := bindAt(t.Context(), grpc.Descriptor(), start(t, options{}).Base(), flow.Calls...); err != nil {
				t.Fatal(err)
			}
			o := targets.Options{
				T0: time.Now(), Timeout: long, Sampler: k,
				Base: nonsense(t, func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", "application/grpc")
					_, _ = w.Write([]byte(c.body))
				}),
			}
			client, err := grpc.Descriptor().Client(o)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			out := flow.Open(t, client, o.T0, 0).Do(0, long)
			if out.Cause != scenarios.Protocol || !strings.HasPrefix(k.kept[0].Message, c.want) {
				t.Errorf("%s: %q, want %q", out.Cause, k.kept[0].Message, c.want)
			}
		})
	}
}
