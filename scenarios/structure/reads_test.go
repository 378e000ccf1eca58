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

// reads are the places that read without a bound of their own, by file and what they use, each with the reason why no
// file and no answer of others can fill brunt's memory there.
var reads = map[string]string{
	"reporters/html/index.go ReadFile":              "a file in brunt's own program",
	"reporters/html/live.go ReadFile":               "a file in brunt's own program",
	"chaos/cgroup/group.go os.ReadFile":             "files of control groups",
	"chaos/cgroup/system.go os.ReadFile":            "files of control groups and of /proc",
	"chaos/fault/resource/oom_score.go os.ReadFile": "a file of /proc",
	"chaos/proc/process_linux.go os.ReadFile":       "a file of /proc",
	"chaos/rootfs/rootfs_linux.go os.ReadFile":      "a file of /sys",
	"chaos/vdso/hold_linux_amd64.go os.ReadFile":    "files of /proc",
	"chaos/proxy/peer/web.go io.ReadAll":            "the proof of a link: a request of brunt's own",
	"chaos/proxy/peer/client.go io.ReadAll": "the proof of a link: an answer of brunt's own, or of the fault " +
		"in it",
	"chaos/timeline/records.go gob.NewDecoder":     "records that this brunt has written",
	"chaos/stress/child.go ReadBytes":              "brunt is at both ends",
	"chaos/proxy/child/control.go json.NewDecoder": "brunt is at both ends",
	"cmd/brunt-k6/main.go ReadBytes":               "brunt is at both ends",
	"cmd/brunt-k6/link.go json.NewDecoder":         "brunt is at both ends",
	"chaos/stress/process.go bufio.Scanner":        "brunt is at both ends; what is too long is no report",
	"chaos/fault/resource/find.go ReadFile": "the build information of a program, which is a part of it with " +
		"a bound",
	"cmd/brunt/discover.go bufio.Scanner": "the answers of a person at a terminal; a line that is too long " +
		"is no answer",
	"scenarios/machine/machine_linux.go ReadString": "a file of /proc",
	"scenarios/convert/jmeter/jmx.go io.ReadAll":    "a part of the source, which has its bound",
}

// boundedBy are the readers with a bound, and those of what is in memory already.
var boundedBy = []string{
	"io.LimitReader", "http.MaxBytesReader", "bytes.NewReader", "strings.NewReader",
	"bytes.NewBuffer", "bytes.NewBufferString",
}

// TestReads: what brunt reads of files and answers that are not its own has a bound, which the reader states
// (scenarios/disk). What has none is named in reads, with the reason. Parts of tests and systems under test are left
// out.
func TestReads(t *testing.T) {
	used := map[string]bool{}
	for _, f := range moduleFiles(t) {
		if f.test || aside(f.dir()) || f.dir() == "targets/demo" {
			continue
		}
		for _, what := range readsIn(f.ast) {
			key := f.path + " " + what
			used[key] = true
			if reads[key] == "" {
				t.Errorf("%s: %s reads without a bound: read by scenarios/disk, or from a reader with a limit", f.path, what)
			}
		}
	}
	for key := range reads {
		if !used[key] {
			t.Errorf("nothing is at %q any more: remove it", key)
		}
	}
}

// readsIn lists what reads without a bound in a file.
func readsIn(f *ast.File) []string {
	embeds := slices.ContainsFunc(f.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"embed"` })
	var out []string
	for _, d := range f.Decls {
		scans, checked := false, false // lines by a Scanner, whose error is looked at
		ast.Inspect(d, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			s, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			checked = checked || s.Sel.Name == "Err"
			scans = scans || isCall(call, "bufio.NewScanner")
			if what := unbounded(call, s, embeds); what != "" {
				out = append(out, what)
			}
			return true
		})
		if scans && !checked {
			out = append(out, "bufio.Scanner")
		}
	}
	return out
}

// unbounded names what a call reads without a bound.
func unbounded(call *ast.CallExpr, s *ast.SelectorExpr, embeds bool) string {
	pkg, _ := selected(s)
	name := s.Sel.Name
	switch whole := pkg + "." + name; {
	case whole == "io.ReadAll", whole == "json.NewDecoder", whole == "xml.NewDecoder", whole == "yaml.NewDecoder",
		whole == "csv.NewReader",
		whole == "gob.NewDecoder":
		if !isBounded(call.Args[0]) {
			return whole
		}
	case whole == "os.ReadFile", whole == "fs.ReadFile":
		if !ofKernel(call.Args[0]) {
			return whole
		}
	case whole == "ioutil.ReadAll", whole == "ioutil.ReadFile":
		return whole
	case whole == "io.Copy": // into memory
		if to, ok := call.Args[0].(*ast.UnaryExpr); ok && to.Op == token.AND && !isBounded(call.Args[1]) {
			return whole
		}
	case name == "ReadFile" && !embeds, name == "ReadString" || name == "ReadBytes" ||
		name == "ReadFrom" && len(call.Args) == 1 && pkg == "":
		if _, method := s.X.(*ast.Ident); method || pkg == "" {
			return name
		}
	}
	return ""
}

func isCall(e ast.Expr, names ...string) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	s, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	pkg, name := selected(s)
	return slices.Contains(names, pkg+"."+name)
}

// isBounded reports whether a reader has a bound where it is given.
func isBounded(e ast.Expr) bool { return isCall(e, boundedBy...) }

// ofKernel reports whether a path begins with a folder of the kernel's files.
func ofKernel(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		path, _ := strconv.Unquote(e.Value)
		return strings.HasPrefix(path, "/proc/") || strings.HasPrefix(path, "/sys/")
	case *ast.BinaryExpr:
		return ofKernel(e.X)
	case *ast.CallExpr:
		return isCall(e, "fmt.Sprintf", "filepath.Join", "path.Join") && ofKernel(e.Args[0])
	}
	return false
}

// TestReads_Finds checks that the test itself finds what it looks for.
func TestReads_Finds(t *testing.T) {
	const text = `package p
import (
	"bufio"
	"encoding/json"
	"io"
	"os"
)
func f(r io.Reader, root *os.Root, path string) {
	_, _ = io.ReadAll(r)
	_, _ = io.ReadAll(io.LimitReader(r, 9))
	_, _ = os.ReadFile(path)
	_, _ = os.ReadFile("/proc/self/stat")
	_, _ = root.ReadFile(path)
	_ = json.NewDecoder(r)
	_ = json.NewDecoder(io.LimitReader(r, 9))
	var b bytes.Buffer
	_, _ = io.Copy(&b, r)
	_, _ = io.Copy(os.Stdout, r)
	_, _ = bufio.NewReader(r).ReadString('\n')
}
func g(r io.Reader) {
	for in := bufio.NewScanner(r); in.Scan(); {
	}
}
func h(r io.Reader) error {
	in := bufio.NewScanner(r)
	for in.Scan() {
	}
	return in.Err()
}`
	f, err := parser.ParseFile(token.NewFileSet(), "p.go", text, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"io.ReadAll", "os.ReadFile", "ReadFile", "json.NewDecoder", "io.Copy", "ReadString", "bufio.Scanner"}
	if got := readsIn(f); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
