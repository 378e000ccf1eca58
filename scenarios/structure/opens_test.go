package structure_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"testing"
)

// opener is the package that opens files for all others: regular files alone.
const opener = "scenarios/disk"

// opens are the places that open a file past scenarios/disk, by file and what they use, each with the reason why the
// path leads to no pipe and no device that could hold brunt up.
var opens = map[string]string{
	"chaos/cgroup/group.go os.ReadFile":                    ofCgroup,
	"chaos/cgroup/group.go os.OpenFile":                    ofCgroup,
	"chaos/cgroup/system.go os.ReadFile":                   ofCgroup + ", and of /proc",
	"chaos/fault/resource/capabilities.go os.OpenFile":     ofCgroup,
	"chaos/fault/resource/oom_score.go os.ReadFile":        ofKernelToo,
	"chaos/proc/process_linux.go os.ReadFile":              ofKernelToo,
	"chaos/rootfs/rootfs_linux.go os.ReadFile":             "a file of /sys",
	"chaos/vdso/hold_linux_amd64.go os.ReadFile":           ofKernelToo,
	"chaos/netns/kernel/namespace_linux.go os.Open":        "a namespace below /proc",
	"chaos/stress/memory_linux.go os.Open":                 ofCgroup,
	"scenarios/observe/usage_linux.go os.Open":             "a folder of /proc",
	"scenarios/observe/waits_linux.go os.Open":             "a folder of /proc",
	"targets/platform/procgroup/procmark_linux.go os.Open": "the folder /proc",
	"chaos/fault/resource/disk_fill.go os.Open":            "the file that the fault has made itself",
	"chaos/journal/files_unix.go os.OpenFile":              ofState,
	"chaos/journal/files_unix.go os.Open":                  "the folder of a journal",
	"chaos/journal/watchdog.go os.OpenFile":                ofState,
	"chaos/kube/kubeconfig/kubeconfig.go clientcmd.NewDefaultClientConfigLoadingRules": "each file is read by " +
		"scenarios/disk before",
	"targets/platform/compose/read.go cli.NewProjectOptions": "the file is read by scenarios/disk before, and those " +
		"that it includes within a time limit",
	"scenarios/run/target/command.go os.OpenFile":  "the null device",
	"scenarios/template/masked_log.go os.OpenFile": "a log, once nothing but a file is there",
	"reporters/write.go os.OpenFile":               "a report that brunt has written into its folder",
	"reporters/push/requests.go os.OpenFile":       "a file that the command has made, or the user's pipe, beside the run",
	"cmd/brunt/claim.go os.OpenFile":               "the lock of a report's folder, once nothing but a file is there",
	"cmd/brunt/summary.go os.OpenFile":             "the file that the CI system names for its summary",
}

// Reasons of several places.
const (
	ofCgroup    = "a file of control groups"
	ofKernelToo = "a file of /proc"
	ofState     = "a file in the folder of brunt's own state, which only its owner may write"
)

// opening are the functions of packages that open a file by its path, or make a library do it.
var opening = map[string][]string{
	"os":                               {"Open", "OpenFile", "ReadFile", "OpenRoot", "OpenInRoot", "DirFS", "CopyFS"},
	"io/ioutil":                        {"ReadFile"},
	"syscall":                          {"Open"},
	"debug/elf":                        {"Open"},
	"debug/macho":                      {"Open"},
	"debug/pe":                         {"Open"},
	"debug/buildinfo":                  {"ReadFile"},
	"archive/zip":                      {"OpenReader"},
	"crypto/tls":                       {"LoadX509KeyPair"},
	"k8s.io/client-go/tools/clientcmd": {"NewDefaultClientConfigLoadingRules", "LoadFromFile", "BuildConfigFromFlags"},
	"github.com/compose-spec/compose-go/v2/cli": {"NewProjectOptions"},
	"github.com/bufbuild/protocompile":          {"SourceResolver"},
}

// TestOpens: a file is opened by scenarios/disk, which refuses what is no regular file before it opens it. A path of
// the kernel's, and a file that must not have been there, need no check. What opens otherwise is named in opens, with
// the reason. Parts of tests and systems under test are left out.
func TestOpens(t *testing.T) {
	used := map[string]bool{}
	for _, f := range moduleFiles(t) {
		if f.test || aside(f.dir()) || f.dir() == "targets/demo" || f.dir() == opener {
			continue
		}
		for _, what := range opensIn(f.ast) {
			key := f.path + " " + what
			used[key] = true
			if opens[key] == "" {
				t.Errorf("%s: %s opens whatever the path leads to, a pipe too: open by %s", f.path, what, opener)
			}
		}
	}
	for key := range opens {
		if !used[key] {
			t.Errorf("nothing is at %q any more: remove it", key)
		}
	}
}

// opensIn lists what opens files in a file, as package.Name.
func opensIn(f *ast.File) []string {
	names, base := map[string][]string{}, map[string]string{} // of opening, by the name that the file gives the package
	for _, spec := range f.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		if list, ok := opening[imported]; ok {
			name := path.Base(imported)
			if spec.Name != nil {
				name = spec.Name.Name
			}
			names[name], base[name] = list, path.Base(imported)
		}
	}
	var out []string
	ast.Inspect(f, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			pkg, name := selected(call.Fun)
			if slices.Contains(names[pkg], name) && len(call.Args) > 0 && (ofKernel(call.Args[0]) || createsNew(call)) {
				return false
			}
		}
		if e, ok := n.(*ast.SelectorExpr); ok {
			if pkg, name := selected(e); slices.Contains(names[pkg], name) {
				out = append(out, base[pkg]+"."+name)
			}
		}
		return true
	})
	return out
}

// createsNew reports whether a call of os.OpenFile fails for a path at which something is.
func createsNew(call *ast.CallExpr) bool {
	found := false
	for _, arg := range call.Args {
		ast.Inspect(arg, func(n ast.Node) bool {
			if e, ok := n.(ast.Expr); ok {
				pkg, name := selected(e)
				found = found || pkg == "os" && name == "O_EXCL"
			}
			return true
		})
	}
	return found
}

// TestOpens_Finds checks that the test itself finds what it looks for.
func TestOpens_Finds(t *testing.T) {
	const text = `package p
import (
	"debug/elf"
	"fmt"
	files "os"
	"os"
)
func f(path string, pid int) {
	_, _ = os.Open(path)
	_, _ = files.ReadFile(path)
	_, _ = os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	_, _ = os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	_, _ = os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	read := os.ReadFile
	_, _ = elf.Open(path)
	_, _ = os.Create(path)
}`
	f, err := parser.ParseFile(token.NewFileSet(), "p.go", text, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"os.Open", "os.ReadFile", "os.OpenFile", "os.ReadFile", "elf.Open"}
	if got := opensIn(f); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
