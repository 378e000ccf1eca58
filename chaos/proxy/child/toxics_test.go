package child

import (
	"reflect"
	"regexp"
	"testing"
	"time"

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/codec/http1"
	"brunt/chaos/proxy/toxics"
)

func TestToxics(t *testing.T) {
	text := "a\"b"
	some := []proxy.Toxic{
		toxics.Latency{Delay: time.Second, Jitter: 3, Distribution: toxics.Normal, Correlation: .5, Direction: proxy.Both},
		toxics.Partition{Mode: toxics.Reject, Existing: toxics.Keep},
		toxics.HTTPError{Status: 503, Share: .25, Path: "/a/*", Headers: map[string]string{"A": "b"}},
		toxics.HTTPRewrite{
			Request: http1.Draft{
				Path:    http1.PathDraft{To: "/x", Match: regexp.MustCompile("^/a(.*)$")},
				Headers: map[string]*string{"Gone": nil, "A": &text},
			},
			Answer: http1.Draft{Status: 404, Body: &text}, Share: 1,
		},
	}
	for _, x := range append(some, all()...) {
		w, err := encode(x)
		if err != nil {
			t.Fatal(err)
		}
		got, err := w.decode()
		if err != nil || !reflect.DeepEqual(got, x) {
			t.Errorf("%#v became %#v (%v)", x, got, err)
		}
	}
	for _, x := range all() { // what JSON leaves out would be lost without an error
		of := reflect.TypeOf(x)
		for f := range of.Fields() {
			if !f.IsExported() || f.Tag.Get("json") != "" {
				t.Errorf("%s.%s does not come along", of.Name(), f.Name)
			}
		}
	}
}
