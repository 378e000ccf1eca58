package kafka

import (
	"net/url"
	"strings"
	"testing"
)

// TestLocate reads the URLs of endpoints.
func TestLocate(t *testing.T) {
	for text, want := range map[string]string{
		"kafka://a:1": "", "kafka://a:1?addr=b:2&addr=c:3": "", "kafkas://u:p@a:1?sasl=scram-sha-256": "",
		"kafka://a": "write kafka://a:9092", "kafka://a:1/orders": "a step names its topic", "kafka://a:1?addr=b": "not HOST:PORT",
		"kafka://u:p@a:1": "a user without ?sasl=", "kafka://a:1?sasl=plain": "needs a user and a password",
		"kafka://u:p@a:1?sasl=gssapi": "there are plain", "kafka://a:1?acks=all": "unknown parameter",
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		l, err := locate(u)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
		if want == "" && strings.Contains(text, "addr") && len(l.addresses) != 3 {
			t.Errorf("%s: %v", text, l.addresses)
		}
	}
}
