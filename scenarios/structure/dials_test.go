package structure_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// gates are the packages that open connections for all others, each after a check of the address.
var gates = map[string]string{
	"scenarios/connect": "calls, questions, readiness, what is sent to services: guard.allow and policies",
	"targets/dial":      "loads, of brunt's own engine and of vegeta, and their tokens: guard.allow.load and policies",
}

// dials are the other places that dial or start what dials, by file and what it uses, each with the reason why
// guard.allow has no say in it. An HTTP client that uses a transport of the gates is no such place.
var dials = map[string]string{
	"chaos/netns/probe_linux.go unix.Connect": "proofs of a fault, in the network of the container " +
		"that it hits, to the peers of the fault",
	"chaos/netns/probe_linux.go net.DialUDP":           "the same proofs",
	"chaos/netns/nfqueue/socket_linux.go unix.Connect": "a socket to the kernel",
	"chaos/netns/responder/forward_linux.go net.Dialer": "passes queries of a container on to the name server " +
		"that the container itself had asked",
	"chaos/proxy/link.go net.Dialer": "the other end of a declared link, whose address " +
		"System.reach has checked",
	"chaos/proxy/datagrams.go net.Dialer":       "the same, for datagrams",
	"chaos/proxy/datagrams.go net.DialUDP":      "the proof of a link sends datagrams to brunt's own proxy",
	"chaos/proxy/rendezvous.go net.Dialer":      "the proof of a link connects to brunt's own proxy",
	"chaos/proxy/peer/client.go http.Transport": "the same proof in HTTP/2, over that connection",
	"chaos/selector/injection_point.go net.DefaultResolver": "asks the machine's name servers for a peer's address, " +
		"and connects to nothing",
	"reporters/evidence/signature.go net.DialTimeout": "a local socket: the agent of SSH signs a report",
	"reporters/push/grpc.go grpc.NewClient":           "dials by scenarios/connect",
	"reporters/html/print.go exec.CommandContext": "a browser that prints a page from a file, all of whose " +
		"names resolve to nothing",
	"targets/platform/docker/engine.go http.Transport": "the engine's client, which takes that dialer and no proxy",
	"chaos/kube/cluster.go net.Dialer": "the API server of the user's own commands; that of a scenario is dialled by " +
		"scenarios/connect",
	"chaos/kube/tunnel.go ws.Dialer":             "makes a handshake on a connection of that dialer",
	"targets/http/auth/oauth2.go http.Transport": "dials by targets/dial",
	"targets/vegeta/engine.go http.Transport":    "dials by targets/dial",
	"scenarios/k6/child.go exec.Command": "brunt-k6 gets the allow-lists, and its " +
		"cmd/brunt-k6/dial.go checks each address",
	"scenarios/k6/child.go exec.CommandContext":       "the same program, which reads a script",
	"targets/demo/client.go http.Transport":           "a system under test: its units speak to each other",
	"targets/demo/serve.go net.DefaultResolver":       "a system under test: it asks for the names of its units",
	"targets/demo/serve.go net.Dialer":                "a system under test",
	"targets/demo/hub.go websocket.Upgrader":          "a system under test, which accepts streams",
	"targets/demo/hub.go websocket.TextMessage":       "a system under test, which accepts streams",
	"chaos/journal/watchdog.go exec.Command":          "brunt's own watchdog",
	"scenarios/edit/mcp/tools.go exec.CommandContext": "brunt itself, which gets the policies",
	"chaos/stress/process.go exec.Command":            "brunt's own stressors, which use no network",
	"chaos/probe/command.go exec.CommandContext": "a command of the scenario's author, which a policy " +
		"forbids by `forbid: [exec]` or `[commands]`",
	"chaos/probe/check_command.go exec.CommandContext": "the shell checks the grammar of such a command",
	"chaos/proc/command_windows.go exec.Command":       "ends processes",
	"targets/plugin/child.go exec.Command": "a program of the scenario's author, which gets the address that targets/dial " +
		"has checked, and which a policy forbids by `forbid: [exec]` or `[commands]`",
	"targets/platform/process/process.go exec.Command":        "starts the units of the target",
	"targets/platform/compose/command.go exec.Command":        "Compose, whose engine is checked by guard.allow.chaos",
	"targets/platform/compose/command.go exec.CommandContext": "asks whether there is Compose",
	"targets/stream/websocket.go ws.Dialer":                   "makes a handshake on a connection of the load's network",
	"scenarios/decide/ab/side.go exec.Command":                "git, on this machine",
	"scenarios/decide/ab/side.go exec.CommandContext":         "git, and the build that the user names",
	"targets/dial/resolver.go net.DefaultResolver":            "the names of ports",
	"targets/dial/name_server.go net.Dialer": "the machine's name servers, or the load's `dns`, which " +
		"is checked before",
	"cmd/brunt-k6/main.go http.DefaultTransport": "becomes a transport of scenarios/connect, for what a " +
		"script imports",
	"chaos/proxy/child/control.go net.Dialer": "asks brunt's own process for the proxies of links, on " +
		"loopback",
	"chaos/proxy/tls.go net.Dialer": "asks a peer of the fault whether it speaks TLS, in the " +
		"network of the pod that it hits",
	"chaos/proxy/child/process.go exec.Command": "brunt's own process for the proxies of links",
	"scenarios/run/workers/process.go exec.Command": "brunt's own processes for the load, which check each " +
		"address as brunt does",
	"scenarios/decide/compare/probe.go net.Dialer": "the calibration probe: a server of this process, on " +
		"loopback",
	"cmd/brunt/agents.go exec.Command": "the agent of a pod, by brunt's own program, as a child " +
		"of its supervisor",
	"scenarios/plan/dryrun/planfile.go net.DefaultResolver": "asks the machine's name servers where a target is, for " +
		"a plan file, and connects to nothing",
}

// dialing are the functions, types and variables of packages that open connections, or start programs that may.
var dialing = map[string][]string{
	"net": {"Dial*", "Dialer", "Resolver", "DefaultResolver", "Lookup*"},
	"net/http": {
		"Get", "Post", "PostForm", "Head", "DefaultClient", "DefaultTransport",
		"Transport", "ProxyFromEnvironment",
	},
	"net/smtp":                         {"*"},
	"net/rpc":                          {"Dial*"},
	"crypto/tls":                       {"Dial*", "Dialer"},
	"syscall":                          {"Connect"},
	"golang.org/x/sys/unix":            {"Connect"},
	"golang.org/x/net/proxy":           {"*"},
	"golang.org/x/net/http2":           {"Transport"},
	"golang.org/x/crypto/ssh":          {"Dial"},
	"google.golang.org/grpc":           {"Dial*", "NewClient"},
	"github.com/gobwas/ws":             {"Dial*", "DefaultDialer"},
	"k8s.io/client-go/kubernetes":      {"*"},
	"github.com/gorilla/websocket":     {"*"},
	"github.com/coder/websocket":       {"*"},
	"nhooyr.io/websocket":              {"*"},
	"github.com/rabbitmq/amqp091-go":   {"*"},
	"github.com/redis/go-redis/v9":     {"*"},
	"github.com/jackc/pgx/v5":          {"*"},
	"github.com/segmentio/kafka-go":    {"*"},
	"github.com/twmb/franz-go/pkg/kgo": {"*"},
	"github.com/miekg/dns":             {"Client", "Dial*", "Exchange*"},
	"github.com/nats-io/nats.go":       {"*"},
	"database/sql":                     {"Open*"},
	"os/exec":                          {"Command", "CommandContext"},

	"github.com/eclipse/paho.mqtt.golang":  {"*"},
	"go.mongodb.org/mongo-driver/v2/mongo": {"*"},
}

// TestDials: everything that opens a connection does so by a gate, which checks the address after DNS and after each
// redirect. What does not is named in dials, with the reason. Parts of tests and systems under test are left out.
func TestDials(t *testing.T) {
	used := map[string]bool{}
	for _, f := range moduleFiles(t) {
		if f.test || gates[f.dir()] != "" && !strings.HasPrefix(f.dir(), "targets/dial") || aside(f.dir()) {
			continue
		}
		for _, what := range dialsIn(f.ast) {
			key := f.path + " " + what
			used[key] = true
			if dials[key] == "" && gates[f.dir()] == "" {
				t.Errorf("%s: %s opens connections outside of the gates: dial by scenarios/connect, or by targets/dial for a load",
					f.path, what)
			}
		}
	}
	for key := range dials {
		if !used[key] {
			t.Errorf("nothing is at %q any more: remove it", key)
		}
	}
}

// aside reports whether a folder is a part of tests, or a system under test that shares nothing with brunt.
func aside(dir string) bool {
	last := dir[strings.LastIndexByte(dir, '/')+1:]
	return strings.HasPrefix(dir, "examples") || strings.HasPrefix(dir, "chaos/chaostest") ||
		strings.HasPrefix(dir, "scenarios/truth") ||
		strings.HasPrefix(dir, ".ci") || strings.HasPrefix(dir, "scenarios/suite") || strings.HasSuffix(last, "test")
}

// dialsIn lists what opens connections in a file, as package.Name.
func dialsIn(f *ast.File) []string {
	names := map[string][]string{} // of dialing, by the name that the file gives the package
	short := map[string]string{}
	for _, spec := range f.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		list, ok := dialing[imported]
		if !ok {
			continue
		}
		base := imported[strings.LastIndexByte(imported, '/')+1:]
		name := base
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name], short[name] = list, base
	}
	var out []string
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.StarExpr); ok { // a pointer to a transport or a dialer makes none
			if pkg, _ := selected(s.X); names[pkg] != nil {
				return false
			}
		}
		e, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		pkg, name := selected(e)
		if slices.ContainsFunc(names[pkg], func(p string) bool {
			begin, open := strings.CutSuffix(p, "*")
			return p == name || open && strings.HasPrefix(name, begin)
		}) {
			out = append(out, short[pkg]+"."+name)
		}
		return true
	})
	return out
}

// TestDials_Finds checks that the test itself finds what it looks for.
func TestDials_Finds(t *testing.T) {
	const text = `package p
import (
	"net"
	web "net/http"
	"crypto/tls"
	"os/exec"
)
var c = &web.Client{Transport: &web.Transport{}}
var d *net.Dialer
func f() {
	_, _ = web.Get("http://a.test")
	_ = web.DefaultClient
	_, _ = (&net.Dialer{}).Dial("tcp", "a.test:1")
	_, _ = net.DialTimeout("tcp", "a.test:1", 0)
	_, _ = tls.Dial("tcp", "a.test:1", nil)
	_ = exec.Command("curl", "a.test")
	_, _ = net.Listen("tcp", "127.0.0.1:0")
}`
	f, err := parser.ParseFile(token.NewFileSet(), "p.go", text, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"http.Transport", "http.Get", "http.DefaultClient", "net.Dialer", "net.DialTimeout", "tls.Dial", "exec.Command",
	}
	if got := dialsIn(f); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
