package targets_test

import (
	"testing"

	"brunt/targets"
)

// TestScope_AddSecret: a value is masked from the length on that `brunt explain secrets` says, and not where it is a
// count.
func TestScope_AddSecret(t *testing.T) {
	for value, want := range map[string]bool{
		"": false, "k": false, "kx7vq": false, "kx7vqz": true, "12345678": false, "123456789012": true, "${var.token}": false,
	} {
		masked := ""
		targets.Scope{Secret: func(v string) { masked = v }}.AddSecret(value)
		if want != (masked == value && value != "") {
			t.Errorf("%q is masked: %q; want %v", value, masked, want)
		}
	}
	targets.Scope{}.AddSecret("kx7vqz") // masks nothing
}
