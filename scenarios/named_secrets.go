package scenarios

import (
	"slices"
	"strings"

	"brunt/scenarios/secret"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// placesOnly are the keys below which names say where a value stands, and hold none.
var placesOnly = []string{"extract", "check", "columns", "slo", "stop", "steady"}

// nameSecrets makes the values of the file secrets that are so by their names: of a key, of a flag of
// a command, and within a text, such as the password of a URL or a field of a body.
func nameSecrets(root *syntax.Node, secrets *template.Secrets) {
	plainWords(root, "", secrets)
	secretValues(root, "", secrets)
}

// plainWords tells the words that the file shows at places that are not secret.
func plainWords(n *syntax.Node, key string, secrets *template.Secrets) {
	for _, f := range n.Fields {
		secrets.Plain(f.Key)
		plainWords(f.Value, f.Key, secrets)
	}
	for _, item := range n.Items {
		plainWords(item, key, secrets)
	}
	if n.Kind == syntax.String && !secret.IsName(key) {
		secrets.Plain(n.Value)
	}
}

func secretValues(n *syntax.Node, key string, secrets *template.Secrets) {
	for _, f := range n.Fields {
		if !slices.Contains(placesOnly, f.Key) {
			secretValues(f.Value, f.Key, secrets)
		}
	}
	flag := ""
	for _, item := range n.Items {
		if flag != "" && item.Kind == syntax.String {
			secrets.Name(flag, item.Value)
		}
		flag = ""
		if strings.HasPrefix(item.Value, "-") && !strings.Contains(item.Value, "=") {
			flag = strings.TrimLeft(item.Value, "-")
		}
		secretValues(item, key, secrets)
	}
	if n.Kind != syntax.String || n.Bad || slices.ContainsFunc(n.Parts, func(p syntax.Part) bool { return p.Ref != nil }) {
		return
	}
	secrets.Name(key, n.Value)
	for _, v := range secret.Values(n.Value) {
		secrets.Name("secret", v)
	}
}
