package structure_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// How the strictest policy refuses a field that can hold a command or a file.
const (
	byCommands = "forbid: [commands]"
	byFiles    = "files: []"
	starts     = "no command: "
	noFile     = "no file of this machine: "
)

// hostileFields are the settings that hold a command, a program or a file, or look as if they did, as
// folder.Type.key, with what refuses them. Each that is refused has a scenario in [hostileFile].
var hostileFields = map[string]string{
	"chaos/fault/custom.Action.dir":           byCommands,
	"chaos/fault/custom.Action.run":           byCommands,
	"chaos/fault/custom.Action.undo":          byCommands,
	"chaos/fault/custom.Call.inject":          starts + "steps of the load's language",
	"chaos/fault/custom.Call.revert":          starts + "steps of the load's language",
	"chaos/fault/custom.Exec.dir":             byCommands,
	"chaos/fault/custom.Exec.inject":          byCommands,
	"chaos/fault/custom.Exec.revert":          byCommands,
	"chaos/fault/custom.Webhook.inject":       starts + "a call, whose address is in addressFields",
	"chaos/fault/custom.Webhook.revert":       starts + "a call, whose address is in addressFields",
	"chaos/fault/kubernetes.Apply.manifest":   byCommands,
	"chaos/fault/kubernetes.NodeTaint.key":    noFile + "the key of a taint",
	"chaos/fault/process.Crash.processes":     noFile + "main or tree",
	"chaos/fault/process.Freeze.processes":    noFile + "main or tree",
	"chaos/fault/process.TimeSkew.processes":  noFile + "main or tree",
	"chaos/fault/proxied.Commands.command":    noFile + "a pattern of commands of Redis",
	"chaos/fault/proxied.Operations.command":  noFile + "a pattern of commands of MongoDB",
	"chaos/fault/proxied.Commands.key":        noFile + "a pattern",
	"chaos/fault/proxied.Requests.path":       noFile + "a pattern of paths of requests",
	"chaos/fault/proxied.requestDraft.path":   noFile + "the path of a request",
	"chaos/fault/resource.DiskFill.path":      noFile + "a folder of the unit; `faults` limits the kind",
	"chaos/fault/resource.DiskThrottle.path":  noFile + "a folder of the unit",
	"chaos/fault/resource.StressIO.path":      noFile + "a folder of the unit; `faults` limits the kind",
	"chaos/probe.Asking.command":              byCommands,
	"chaos/probe.Asking.exec":                 byCommands,
	"chaos/probe.Asking.path":                 noFile + "the path of a request",
	"chaos/probe.Call.json":                   noFile + "the body of a call",
	"chaos/probe.Once.command":                byCommands,
	"chaos/probe.Once.dir":                    byCommands,
	"chaos/selector.Edge.from":                noFile + "the name of a service",
	"scenarios.Seen.from":                     starts + "steps of the load's language",
	"scenarios.Compose.build":                 byCommands,
	"scenarios.Compose.file":                  byCommands,
	"scenarios.Consistency.key":               noFile + "a value of a row or of an answer",
	"scenarios.Fault.from":                    noFile + "clearing or injection",
	"scenarios.Kubernetes.image":              byCommands,
	"scenarios.Load.targets":                  byFiles,
	"scenarios.Script.k6":                     byCommands,
	"scenarios.TLS.ca":                        byFiles,
	"scenarios.TLS.cert":                      byFiles,
	"scenarios.Delivery.key":                  noFile + "a path into a message",
	"scenarios.TLS.key":                       byFiles,
	"scenarios.Target.compose":                byCommands,
	"scenarios.Target.containers":             byCommands,
	"scenarios.Target.processes":              byCommands,
	"scenarios.WorkerVariable.key":            noFile + "the key of a value in a Secret of a cluster",
	"scenarios.Workers.image":                 byCommands,
	"scenarios.document.extends":              byFiles,
	"scenarios/load.LogFields.path":           noFile + "the name of a column",
	"scenarios/load.Replay.from":              byFiles,
	"scenarios/template.tableSource.csv":      byFiles,
	"targets/kafka.step.from":                 noFile + "end or start",
	"targets/kafka.step.json":                 noFile + "the value of a record",
	"targets/kafka.step.key":                  noFile + "the key of a record",
	"scenarios/template.tableSource.json":     byFiles,
	"targets.expectedSource.schema":           byFiles,
	"targets/grpc.endpoint.import_paths":      byFiles,
	"targets/grpc.endpoint.protos":            byFiles,
	"targets/grpc.endpoint.protoset":          byFiles,
	"targets/http.fileSource.file":            byFiles,
	"targets/http.partSource.file":            byFiles,
	"targets/http.partSource.json":            noFile + "a part of a body",
	"targets/http.requestStep.json":           noFile + "the body of a request",
	"targets/http/auth.HMAC.key":              noFile + "the settings of a key",
	"targets/http/auth.JWT.key":               noFile + "the settings of a key",
	"targets/http/auth.keySource.file":        byFiles,
	"targets/plugin.endpointSettings.command": byCommands,
	"targets/platform.Container.command":      byCommands,
	"targets/platform.Container.entrypoint":   byCommands,
	"targets/platform.Container.image":        byCommands,
	"targets/platform.Container.mounts":       byCommands,
	"targets/platform.Container.volumes":      noFile + "the name of a volume of the run",
	"targets/platform.Health.command":         byCommands,
	"targets/platform.Process.command":        byCommands,
	"targets/platform.Process.dir":            byCommands,
	"targets/sql.copyRows.csv":                byFiles,
	"targets/smtp.step.from":                  noFile + "an address of mail",
	"targets/stream.MessageSource.file":       byFiles,
	"targets/stream.step.from":                noFile + "the name of a stream",
}

// decodedByHand are the settings of hostileFields that are no fields of a type.
var decodedByHand = []string{"targets.expectedSource.schema", "targets/stream.MessageSource.file"}

// hostileKeys are the keys that a command, a program or a file would have, whatever the type of its field.
var hostileKeys = regexp.MustCompile(`^(command|cmd|exec|entrypoint|program|run|undo|inject|revert|script|k6|image|` +
	`build|manifest|compose|processes|containers|file|files|from|csv|json|extends|targets|ca|cert|key|protos|protoset|` +
	`schema|import_paths|mounts|volumes|dir|path|log|kubeconfig|identity|binary|descriptor)$`)

// hostileTypes are the types of fields that hold a command or a file.
var hostileTypes = regexp.MustCompile(`(^|\.)(Command|revertCommand|Manifest|Script|Once|keySource)$`)

// hostileFile has a scenario for each field that a policy refuses.
const hostileFile = "../plan/hostile_test.go"

// settles reports whether settings of scenarios may be in a folder.
func settles(dir string) bool {
	return !aside(dir) && dir != "targets/demo" && dir != "scenarios/policies" && !strings.HasPrefix(dir, "reporters") &&
		!strings.HasPrefix(dir, "scenarios/drills") && !strings.HasPrefix(dir, "scenarios/convert")
}

// TestHostile_Fields: every setting that can hold a command, a program or a file is known, with the rule of a policy
// that refuses it, and a scenario that tries it. Settings that hold an address are those of TestDials_Fields.
func TestHostile_Fields(t *testing.T) {
	found := map[string]bool{}
	for _, f := range moduleFiles(t) {
		if f.test || !settles(f.dir()) {
			continue
		}
		for name, typ := range settingsIn(f.ast) {
			_, key, _ := strings.Cut(name, ".")
			if !hostileKeys.MatchString(key) && !hostileTypes.MatchString(typeName(typ)) {
				continue
			}
			full := f.dir() + "." + name
			if found[full] = true; hostileFields[full] == "" {
				t.Errorf("%s may hold a command or a file: say in hostileFields what refuses it, and add a scenario to %s",
					full, hostileFile)
			}
		}
	}
	text, err := os.ReadFile(filepath.FromSlash(hostileFile))
	if err != nil {
		t.Fatal(err)
	}
	tried := map[string]bool{}
	for _, l := range regexp.MustCompile(`field: *"([^"]+)"`).FindAllSubmatch(text, -1) {
		tried[string(l[1])] = true
	}
	for name, how := range hostileFields {
		if !found[name] && !slices.Contains(decodedByHand, name) {
			t.Errorf("nothing is at %s any more: remove it", name)
		}
		if refused := how == byCommands || how == byFiles; refused != tried[name] {
			t.Errorf("%s (%s): a scenario tries it: %v", name, how, tried[name])
		}
	}
	for name := range tried {
		if hostileFields[name] == "" {
			t.Errorf("a scenario tries %s, which hostileFields lacks", name)
		}
	}
}

// policyFile has the rows of the suite that plays each key under a policy.
const policyFile = "../truth/policy/rows_test.go"

// TestPolicy_Keys: every setting that holds an address, a command or a file that a policy binds has a row in the suite
// scenarios/truth/policy, or a reason there why it has none.
func TestPolicy_Keys(t *testing.T) {
	text, err := os.ReadFile(filepath.FromSlash(policyFile))
	if err != nil {
		t.Fatal(err)
	}
	played, reasons := map[string]bool{}, map[string]bool{}
	for _, l := range regexp.MustCompile(`field: *"([^"]+)"`).FindAllSubmatch(text, -1) {
		played[string(l[1])] = true
	}
	for _, l := range regexp.MustCompile(`(?m)^\t"([^"]+)": +\S`).FindAllSubmatch(text, -1) {
		reasons[string(l[1])] = true
	}
	bound := map[string]bool{}
	for name, how := range hostileFields {
		bound[name] = how == byCommands || how == byFiles
	}
	for name, how := range addressFields {
		bound[name] = bound[name] || checksAddress(how)
	}
	for name, binds := range bound {
		if binds && played[name] == reasons[name] {
			t.Errorf("%s: %s plays it: %t; unplayed has a reason: %t. Want one of both", name, policyFile, played[name],
				reasons[name])
		}
	}
	for _, names := range []map[string]bool{played, reasons} {
		for name := range names {
			if !bound[name] {
				t.Errorf("%s has %s, which no policy binds", policyFile, name)
			}
		}
	}
}

// checksAddress reports whether an entry of addressFields names a check of the address.
func checksAddress(how string) bool {
	return !strings.HasPrefix(how, noAddress) && slices.ContainsFunc([]string{
		ofQuestions, ofLoad, ofImages, "within LoadAllowlist", "targets/dial", "allow-lists",
	}, func(part string) bool { return strings.Contains(how, part) })
}
