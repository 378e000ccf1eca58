package structure_test

import (
	"go/ast"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The checks of the fields that hold an address: before the run, and as a connection is made.
const (
	ofQuestions = "probe.Address.check within Scope.Host; ResolvedCall.client by scenarios/connect"
	ofLoad      = "targets.CheckURL or Plan.checkTarget within LoadAllowlist; targets/dial"
	ofImages    = "checkImages, where the name holds a secret: within LoadAllowlist or ChaosAllowlist, by name"
	noAddress   = "it names a part of the target, or a place in the scenario"
)

// addressFields are the settings that hold an address, or look as if they did, as folder.Type.key, with the checks of
// it. Each that is checked has a scenario in [leaksFile].
var addressFields = map[string]string{
	"chaos/probe.Asking.get":                 ofQuestions,
	"chaos/probe.Asking.path":                "a path of a unit, which begins with /: checkGet; " + ofQuestions,
	"chaos/probe.Asking.scrape":              ofQuestions,
	"chaos/probe.Asking.prometheus":          ofQuestions,
	"chaos/probe.Query.url":                  ofQuestions,
	"chaos/probe.Metric.get":                 ofQuestions,
	"chaos/probe.Alert.prometheus":           ofQuestions,
	"chaos/probe.Alert.alertmanager":         ofQuestions,
	"chaos/probe.Call.get":                   ofQuestions,
	"chaos/probe.Call.post":                  ofQuestions,
	"chaos/probe.Call.put":                   ofQuestions,
	"chaos/probe.Call.patch":                 ofQuestions,
	"chaos/probe.Call.delete":                ofQuestions,
	"chaos/fault/network.DNSSpoof.answers":   "what units of the target are told, to which brunt itself does not connect",
	"targets/dns.step.dns":                   noAddress, // a name in a question; the address is the endpoint's
	"scenarios.Target.url":                   ofLoad,
	"scenarios.Target.endpoints":             ofLoad + "; further hosts: Scope.CheckHosts",
	"scenarios.Ready.get":                    ofLoad + ", as a step of the load",
	"scenarios.Ledger.at":                    "ledgerCompiler.ledgerAt within LoadAllowlist; targets/dial",
	"scenarios.Connections.dns":              "compiler.load within LoadAllowlist; targets/dial",
	"scenarios.Connections.proxy":            "compiler.proxies within LoadAllowlist; targets/dial",
	"scenarios.Load.resolve":                 "CheckURL of each URL with the load's resolve; targets/dial",
	"scenarios.Load.targets":                 "each line: " + ofLoad,
	"targets/http.requestStep.get":           ofLoad,
	"targets/http.requestStep.post":          ofLoad,
	"targets/http.requestStep.put":           ofLoad,
	"targets/http.requestStep.patch":         ofLoad,
	"targets/http.requestStep.delete":        ofLoad,
	"targets/http.requestStep.head":          ofLoad,
	"targets/http.requestStep.options":       ofLoad,
	"targets/http.graphQLStep.graphql":       ofLoad,
	"targets/http.sseStep.sse":               ofLoad,
	"targets/http/auth.OAuth2.token_url":     ofLoad,
	"targets/stream.step.ws":                 "a path alone, of an endpoint; targets/dial",
	"scenarios/load.Replay.from":             "a file, of whose URLs only path and query are requested; targets/dial",
	"scenarios.Script.resolve":               "brunt-k6 checks each dial by the allow-lists",
	"scenarios.Connections.source_addresses": "addresses of this machine, from which connections come",
	"scenarios.TLS.server_name":              "a name in a handshake, to which nothing connects",
	"scenarios.Trace.forward":                "checkForward within LoadAllowlist or ChaosAllowlist; newForwarder",
	"scenarios.Trace.listen":                 "an address of this machine: checkListen",
	"scenarios.Trace.link":                   "a link for readers of the report, to which nothing connects",
	"scenarios/policies.Policy.targets":      noAddress,
	"targets/platform.Container.image":       ofImages,
	"scenarios.Kubernetes.image":             ofImages,
	"scenarios.Workers.image":                ofImages,
}

// addressKeys are the keys that an address would have, whatever the type of its field.
var addressKeys = regexp.MustCompile(`(^|_)(url|uri|addr|address|addresses|host|hosts|dns|proxy|endpoints?|resolve|` +
	`server|server_name|prometheus|alertmanager|scrape|link|webhook|brokers?|targets|` +
	`image|forward|listen|answers)$`)

// leaksFile has a scenario for each field, in its variable leaks: it reaches for an address that is not allowed.
const leaksFile = "../run/addresses_test.go"

// TestDials_Fields: every setting that holds an address is known with its checks, and has a scenario in leaks. The
// addresses of questions and calls are of the type probe.Address, which can't be used unchecked.
func TestDials_Fields(t *testing.T) {
	found := map[string]bool{}
	for _, f := range moduleFiles(t) {
		if f.test || aside(f.dir()) || f.dir() == "targets/demo" || strings.HasPrefix(f.dir(), "reporters") {
			continue
		}
		for name, typ := range settingsIn(f.ast) {
			kind := typeName(typ)
			of, key, _ := strings.Cut(name, ".")
			if kind != "template.URL" && kind != "Address" && kind != "probe.Address" && !addressKeys.MatchString(key) {
				continue
			}
			full := f.dir() + "." + of + "." + key
			if found[full] = true; addressFields[full] == "" {
				t.Errorf("%s holds an address: say in addressFields where it is checked, and add a scenario to leaks", full)
			}
			if strings.HasPrefix(f.dir(), "chaos") && kind == "template.URL" {
				t.Errorf("%s is a template.URL, which can be used unchecked: take probe.Address", full)
			}
		}
	}
	tried := map[string]bool{}
	scenarios, err := os.ReadFile(filepath.FromSlash(leaksFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range regexp.MustCompile(`(?m)^\t+\{?field: *"([^"]+)"`).FindAllSubmatch(scenarios, -1) {
		field := string(l[1])
		tried[field] = true
		if addressFields[field] == "" {
			t.Errorf("a leak is of %s, which addressFields lacks", field)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(addressFields)) {
		how := addressFields[name]
		fixed := strings.HasPrefix(how, ofQuestions) || strings.HasPrefix(how, ofLoad) ||
			strings.Contains(how, "within LoadAllowlist")
		if fixed && !tried[name] {
			t.Errorf("no scenario of leaks tries %s", name)
		}
		if !found[name] && !slices.Contains([]string{
			"scenarios.Ready.get", "scenarios.Ledger.at", "scenarios/load.Replay.from",
		}, name) {
			t.Errorf("nothing is at %s any more: remove it", name)
		}
	}
}

// settingsIn lists the fields of a file that are settings, by type and key, with their types.
func settingsIn(f *ast.File) map[string]ast.Expr {
	out := map[string]ast.Expr{}
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		s, ok := spec.Type.(*ast.StructType)
		if !ok {
			return true
		}
		for _, field := range s.Fields.List {
			if field.Tag == nil {
				continue
			}
			tag, _ := strconv.Unquote(field.Tag.Value)
			if key, _, _ := strings.Cut(reflect.StructTag(tag).Get("yaml"), ","); key != "" && key != "-" {
				out[spec.Name.Name+"."+key] = field.Type
			}
		}
		return true
	})
	return out
}

// typeName is the name of a field's type, or that of its elements.
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.ArrayType:
		return typeName(e.Elt)
	case *ast.MapType:
		return typeName(e.Value)
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		pkg, name := selected(e)
		return pkg + "." + name
	}
	return ""
}
