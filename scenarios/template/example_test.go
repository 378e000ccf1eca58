package template_test

import (
	"fmt"

	"brunt/scenarios/template"
)

// A secret is masked in every encoding that a request or an answer may use.
func ExampleSecrets_Mask() {
	var secrets template.Secrets
	secrets.Add(`to/ken"`)
	fmt.Println(secrets.Mask(`GET /?key=to%2Fken%22 with {"key": "to/ken\""}`))
	// Output: GET /?key=*** with {"key": "***"}
}
