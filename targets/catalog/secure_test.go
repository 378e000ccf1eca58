package catalog_test

import (
	"testing"

	"brunt/targets/catalog"
)

func TestSecure(t *testing.T) {
	set := catalog.New()
	for scheme, want := range map[string]bool{
		"https": true, "grpcs": true, "rediss": true, "rediss+cluster": true, "rediss+sentinel": true,
		"http": false, "grpc": false, "redis": false, "redis+cluster": false, "redis+sentinel": false, "postgres": false,
	} {
		if set.Wire(scheme).TLS != want {
			t.Errorf("%s: secure is %v", scheme, !want)
		}
	}
}
