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
// a command, and within a text, such as the password of a URL or a field of a body; and those of the params that the
// command line sets.
func nameSecrets(root *syntax.Node, o Options, secrets *template.Secrets) {
	plainWords(root, "", secrets)
	ofEnvironment(o.environ, secrets)
	for name, value := range o.Set {
		secrets.Name(name, value)
	}
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
		flag = flagOf(item)
		secretValues(item, key, secrets)
	}
	if n.Kind != syntax.String || n.Bad {
		return
	}
	if n.Dynamic() == nil {
		secrets.Name(key, n.Value)
	}
	for _, v := range secret.Values(n.Value) {
		if !strings.Contains(v, "${") {
			secrets.Name("secret", v)
		}
	}
}

// ofEnvironment makes values of brunt's own environment secrets that are so by the names of their variables: what brunt
// starts has them too, and may show them. A path is none.
func ofEnvironment(environ []string, secrets *template.Secrets) {
	for _, entry := range environ {
		if name, value, _ := strings.Cut(entry, "="); !strings.ContainsAny(value, `/\`) || secret.IsToken(value) {
			secrets.Name(name, value)
		}
	}
}

// flagOf returns the name of a flag of a command whose value is the next word; empty is none.
func flagOf(item *syntax.Node) string {
	if !strings.HasPrefix(item.Value, "-") || strings.Contains(item.Value, "=") {
		return ""
	}
	return strings.TrimLeft(item.Value, "-")
}
