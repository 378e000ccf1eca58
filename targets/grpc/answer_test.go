package grpc_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/grpc"
	"brunt/targets/targetstest"
)

// nonsense is a server of HTTP/2 whose answer is that of handle.
func nonsense(t testing.TB, handle http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewUnstartedServer(handle)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	return strings.Replace(s.URL, "http://", "grpc://", 1)
}

// What is not gRPC is an error of the protocol, and says what came.
func TestAnswer_Nonsense(t *testing.T) {
	trailer := func(w http.ResponseWriter, status string) {
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set(http.TrailerPrefix+"Grpc-Status", status)
	}
	const message = "\x00\x00\x00\x00\x02\x08\x01"
	for _, c := range []struct {
		name    string
		handle  http.HandlerFunc
		want    scenarios.Cause
		message string
	}{
		{
			"an answer", func(w http.ResponseWriter, _ *http.Request) { trailer(w, "0"); _, _ = w.Write([]byte(message)) }, 0,
			"",
		},
		{
			"a page", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, scenarios.Protocol,
			"the answer is status 503 of HTTP without a grpc-status",
		},
		{
			"no status", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(message)) }, scenarios.Protocol,
			"the answer has no grpc-status",
		},
		{
			"a word", func(w http.ResponseWriter, _ *http.Request) { trailer(w, "fine") }, scenarios.Protocol,
			`grpc-status is "fine"`,
		},
		{
			"no message", func(w http.ResponseWriter, _ *http.Request) { trailer(w, "0") }, scenarios.Protocol,
			"the answer is OK and has no message",
		},
		{
			"half a prefix", func(w http.ResponseWriter, _ *http.Request) {
				trailer(w, "0")
				_,
					_ = w.Write([]byte(message[:3]))
			}, scenarios.Protocol,
			"the answer has 3 bytes, which hold no message",
		},
		{
			"compressed", func(w http.ResponseWriter, _ *http.Request) {
				trailer(w, "0")
				_, _ = w.Write([]byte("\x01" + message[1:]))
			},
			scenarios.Protocol, "the message is compressed, which was not asked for",
		},
		{
			"two messages", func(w http.ResponseWriter, _ *http.Request) {
				trailer(w, "0")
				_, _ = w.Write([]byte(message + message))
			},
			scenarios.Protocol, "the answer is not one message: it has 9 bytes, and the first message 2",
		},
		{
			"not the type", func(w http.ResponseWriter, _ *http.Request) {
				trailer(w, "0")
				_, _ = w.Write([]byte(message[:5] + "\x08\xff"))
			},
			scenarios.Protocol, "the message is no grpc.health.v1.HealthCheckResponse",
		},
		{
			"a status alone", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Grpc-Status", "14") },
			statusCause(14), "UNAVAILABLE",
		},
		{"an unknown status", func(w http.ResponseWriter, _ *http.Request) { trailer(w, "99") }, statusCause(99), "99"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := new(sampler)
			flow := targetstest.Compile(t, grpc.Descriptor(), "", `grpc: health`)
			o := targets.Options{Base: nonsense(t, c.handle), T0: time.Now(), Timeout: long, Sampler: k}
			client, err := grpc.Descriptor().Client(o)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			out := flow.Open(t, client, o.T0, 0).Do(0, long)
			if out.Cause != c.want || !strings.HasPrefix(k.kept[0].Message, c.message) {
				t.Errorf("%s: %q, want %s: %q", out.Cause, k.kept[0].Message, c.want, c.message)
			}
		})
	}
}
