package http_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"log"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/suite"
	"brunt/targets"
)

// TestHTTP_InflatedLimit: a small compressed body that grows beyond the limit is an error that names the limit, where a
// check or an extraction reads it, and is looked into where the limit allows it.
func TestHTTP_InflatedLimit(t *testing.T) {
	suite.Sequential(t)
	const size = 65 << 20
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := io.CopyN(w, xs{}, size); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed.Bytes())
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Config.Protocols = new(nethttp.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	const says = "the body without its encoding gzip is over 64MiB, the most that checks and extractions look into; " +
		"`check: {max_body: …}`"
	for _, version := range []scenarios.HTTPVersion{scenarios.HTTP1, scenarios.HTTP2} {
		t.Run(string(version), func(t *testing.T) {
			k := &samples{}
			o := targets.Options{Base: s.URL, Sampler: k}
			o.Connections.HTTP = version
			r := newFixture(t, o, `{get: /, check: {body: "~ ^x{9}"}}`, `{get: /, extract: {x: "~ ^(x{9})"}}`,
				`{get: /, check: {body: "~ ^x{9}", max_body: 65MiB}}`, `get: /`,
				`{get: /, check: {body: "~ ^x{9}", max_body: 1MiB}}`)
			u := r.user(0)
			for _, c := range []struct {
				step       int
				want, says string
			}{
				{0, "too large", says},
				{1, "too large", says},
				{2, "ok 200", ""},
				{3, "ok 200", ""},
				{4, "too large", "over 1MiB"},
			} {
				r.want(u.Do(c.step, long), c.want)
				if c.says != "" && !strings.Contains(k.last().Message, c.says) {
					t.Errorf("step %d: message %q", c.step, k.last().Message)
				}
			}
		})
	}
}

// xs is a text of x without an end.
type xs struct{}

func (xs) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}
