package scenarios

import (
	"slices"
	"strings"

	"brunt/scenarios/secret"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// placesOnly are the keys whose contents name places of values, and so hold no secret values.
var placesOnly = []string{"extract", "check", "columns", "slo", "stop", "steady"}

// nameSecrets adds each value that its name marks as a secret to secrets. The name may be the key of the value, a
// flag of a command, or a name within a text, such as the password in a URL or a field of a body. Params that the
// command line sets and variables of the environment count too.
func nameSecrets(root *syntax.Node, o Options, secrets *template.Secrets) {
	plainWords(root, "", secrets)
	ofEnvironment(o.environ, secrets)
	for name, value := range o.Set {
		secrets.Name(name, value)
	}
	secretValues(root, "", secrets)
}

// plainWords tells secrets which words appear in the file at places that are not secret.
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

// ofEnvironment adds the values of brunt's own environment whose variables have the name of a secret: programs that
// brunt starts inherit them, and may print them. A path is not a secret.
func ofEnvironment(environ []string, secrets *template.Secrets) {
	for _, entry := range environ {
		if name, value, _ := strings.Cut(entry, "="); !strings.ContainsAny(value, `/\`) || secret.IsToken(value) {
			secrets.Name(name, value)
		}
	}
}

// flagOf returns the name of a command's flag whose value is the next word. It returns an empty text if item is not
// such a flag.
func flagOf(item *syntax.Node) string {
	if !strings.HasPrefix(item.Value, "-") || strings.Contains(item.Value, "=") {
		return ""
	}
	return strings.TrimLeft(item.Value, "-")
}
