package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios/suite"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/sourcegraph/jsonrpc2"
)

// An editor is a client of `brunt lsp`, which it has started.
type editor struct {
	t       *testing.T
	conn    *jsonrpc2.Conn
	found   chan diagnostics
	process *exec.Cmd
	version int
}

type diagnostics struct {
	URI         string
	Version     int
	Diagnostics []struct {
		Range    lspRange
		Severity int
		Message  string
	}
}

type lspPlace struct {
	Line      int `json:"line"`
	Character int `json:"character"`
}

type lspRange struct {
	Start lspPlace `json:"start"`
	End   lspPlace `json:"end"`
}

// startEditor starts a language server by a command line and greets it.
func startEditor(t *testing.T, command ...string) *editor {
	t.Helper()
	e := &editor{t: t, found: make(chan diagnostics, 100)}
	e.process = exec.Command(command[0], command[1:]...)
	e.process.Stderr = os.Stderr
	in, err := e.process.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := e.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := e.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = e.process.Wait()
	})
	stream := struct {
		io.Reader
		io.WriteCloser
	}{out, in}
	e.conn = jsonrpc2.NewConn(t.Context(), jsonrpc2.NewBufferedStream(stream, jsonrpc2.VSCodeObjectCodec{}),
		jsonrpc2.HandlerWithError(func(_ context.Context, _ *jsonrpc2.Conn, r *jsonrpc2.Request) (any, error) {
			if r.Method == "textDocument/publishDiagnostics" {
				var d diagnostics
				if err := json.Unmarshal(*r.Params, &d); err != nil {
					t.Error(err)
				}
				e.found <- d
			}
			return nil, nil
		}))
	var hello struct{ Capabilities struct{ HoverProvider bool } }
	e.ask("initialize", map[string]any{"processId": nil, "rootUri": nil, "capabilities": map[string]any{}}, &hello)
	if !hello.Capabilities.HoverProvider {
		t.Error("the server explains nothing")
	}
	e.tell("initialized", map[string]any{})
	return e
}

func (e *editor) ask(method string, params, answer any) {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.t.Context(), time.Minute)
	defer cancel()
	if err := e.conn.Call(ctx, method, params, answer); err != nil {
		e.t.Fatalf("%s: %v", method, err)
	}
}

func (e *editor) tell(method string, params any) {
	e.t.Helper()
	if err := e.conn.Notify(e.t.Context(), method, params); err != nil {
		e.t.Fatalf("%s: %v", method, err)
	}
}

func fileURI(path string) string { return (&url.URL{Scheme: "file", Path: path}).String() }

// show opens or changes a document and returns the mistakes in it: line:column word: message.
func (e *editor) show(path, text string) []string {
	e.t.Helper()
	e.version++
	if e.version == 1 {
		e.open(path, text)
	} else {
		e.tell("textDocument/didChange", map[string]any{
			"textDocument":   map[string]any{"uri": fileURI(path), "version": e.version},
			"contentChanges": []any{map[string]any{"text": text}},
		})
	}
	return e.seen(path, text)
}

func (e *editor) open(path, text string) {
	e.t.Helper()
	e.tell("textDocument/didOpen", map[string]any{
		"textDocument": map[string]any{"uri": fileURI(path), "languageId": "yaml", "version": e.version, "text": text},
	})
}

// seen waits for the mistakes that the server finds in the present version of a document.
func (e *editor) seen(path, text string) []string {
	e.t.Helper()
	for {
		select {
		case d := <-e.found:
			if d.URI != fileURI(path) || d.Version != 0 && d.Version != e.version {
				continue
			}
			out := []string{}
			for _, one := range d.Diagnostics {
				if one.Severity > 2 { // a note
					continue
				}
				line := []rune(strings.Split(text, "\n")[one.Range.Start.Line])
				word := string(line[min(one.Range.Start.Character, len(line)):min(one.Range.End.Character, len(line))])
				out = append(out, fmt.Sprintf("%d:%d %s: %s", one.Range.Start.Line+1, one.Range.Start.Character+1, word,
					one.Message))
			}
			return out
		case <-time.After(time.Minute):
			e.t.Fatal("the server found nothing within a minute")
		}
	}
}

// at asks at the place of a mark in a text; the mark is in the document as well.
func (e *editor) at(method, path, text, mark string, after int, answer any) {
	e.t.Helper()
	for n, line := range strings.Split(text, "\n") {
		if before, _, ok := strings.Cut(line, mark); ok {
			e.ask(method, map[string]any{
				"textDocument": map[string]any{"uri": fileURI(path)}, "position": lspPlace{n, len([]rune(before)) + after},
			}, answer)
			return
		}
	}
	e.t.Fatalf("%q is not in the text", mark)
}

// completed returns the labels of what may stand behind a mark.
func (e *editor) completed(path, text, mark string) []string {
	e.t.Helper()
	var got struct{ Items []struct{ Label string } }
	e.at("textDocument/completion", path, text, mark, len([]rune(mark)), &got)
	if got.Items == nil {
		e.t.Errorf("%q: no list of completions", mark)
	}
	out := []string{}
	for _, i := range got.Items {
		out = append(out, i.Label)
	}
	return out
}

// writing is a scenario with four mistakes.
const writing = `version: 1
target: {url: "http://127.0.0.1:8080"}
load:
  main:
    executor: constant-arival-rate
    rate: 50/s
    duration: 10s
    flow: [{get: /, name: "häuser"}]
chaos:
  slow: {at: 2s, for: 5s, network.latncy: {to: target, delay: 100ms}}
slo:
  - p95 < 200ms in slo
  - errors < 1%
`

// TestLSP writes a scenario as in an editor: it sees each mistake at its word, mends them by the quick fixes, and has
// then what `brunt validate` accepts.
func TestLSP(t *testing.T) {
	brunt := "brunt" // the test binary, by testscript.Main
	e := startEditor(t, brunt, "lsp", "--stdio")
	path := filepath.Join(t.TempDir(), "a scenario.yaml")
	text := writing
	want := []string{
		`5:15 constant-arival-rate: unknown kind "constant-arival-rate"; did you mean "constant-arrival-rate"?`,
		`10:27 network.latncy: unknown kind "network.latncy"; did you mean "network.latency"?`,
		`12:20 slo: there is no phase "slo"; did you mean "slow"?`,
	}
	if got := e.show(path, text); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	var fixes []struct {
		Title string
		Edit  struct {
			Changes map[string][]struct {
				Range   lspRange
				NewText string
			}
		}
	}
	for range want { // each moves what is behind it
		e.ask("textDocument/codeAction", map[string]any{
			"textDocument": map[string]any{"uri": fileURI(path)}, "range": lspRange{End: lspPlace{Line: 20}},
			"context": map[string]any{"diagnostics": []any{}},
		}, &fixes)
		if len(fixes) == 0 {
			t.Fatal("there is no fix")
		}
		edit := fixes[0].Edit.Changes[fileURI(path)][0]
		lines := strings.Split(text, "\n")
		line := []rune(lines[edit.Range.Start.Line])
		lines[edit.Range.Start.Line] = string(line[:edit.Range.Start.Character]) + edit.NewText +
			string(line[edit.Range.End.Character:])
		text = strings.Join(lines, "\n")
		for _, one := range e.show(path, text) {
			t.Log(fixes[0].Title, "leaves", one)
		}
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(brunt, "validate", path).CombinedOutput(); err != nil {
		t.Errorf("validate: %v\n%s", err, out)
	}
	e.ask("shutdown", nil, nil)
	e.tell("exit", nil)
	if err := e.process.Wait(); err != nil {
		t.Errorf("the server ends with %v", err)
	}
}

// malformed are texts that are no scenarios, as they come about while one is written, and as no one writes them.
var malformed = []string{
	"", "\n\n", "\x00", "\xff\xfe", "\ufeff", "\r\r\n\r", "version", "version: 1\nload:\n  a: {",
	"version: 1\nload: [}", "- - - -",
	"version: 1\n\tload: x", "version: 1\nload: &a {b: *a}", "version: 1\nextends: .", "version: 1\nextends: /dev/zero",
	"version: 1\nload: {a: {flow: [{get: \"${\"}]}}", "version: 1\nslo: [\"p95 <\"]", "version: 1\nload: \"\U0001F600",
	"version: 1\n" + strings.Repeat("a: {", 20000), "version: 1\nname: " + strings.Repeat("x", 1<<20),
	"version: 1\n" + strings.Repeat("[", 1<<16), "version: 1\n" + strings.Repeat("chaos:\n", 10000),
	"version: 1\nchaos: {x: {at: 99999999999999999999h, network.latency: {to: 1, delay: -1}}}",
}

// TestLSP_Malformed shows the server malformed texts, places outside of them and messages without sense: it answers
// each, and then finds the mistakes of a scenario as before.
func TestLSP_Malformed(t *testing.T) {
	e := startEditor(t, "brunt", "lsp", "--stdio")
	dir := t.TempDir()
	path, beside := filepath.Join(dir, "s.yaml"), filepath.Join(dir, "malformed.yaml")
	document := map[string]any{"uri": fileURI(beside)}
	e.open(beside, "")
	ask := func(method string, params any) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var refused *jsonrpc2.Error
		if err := e.conn.Call(ctx, method, params, nil); err != nil && !errors.As(err, &refused) {
			t.Fatalf("%s: %v", method, err)
		}
	}
	for _, text := range malformed {
		e.tell("textDocument/didChange", map[string]any{
			"textDocument": document, "contentChanges": []any{map[string]any{"text": text}},
		})
		if got := e.show(path, writing); len(got) != 3 { // it checks both
			t.Errorf("beside %.40q it finds %q", text, got)
		}
		for _, at := range []lspPlace{{0, 0}, {1, 3}, {1, 1 << 30}, {1 << 30, 0}, {-1, -1}} {
			ask("textDocument/completion", map[string]any{"textDocument": document, "position": at})
			ask("textDocument/hover", map[string]any{"textDocument": document, "position": at})
			ask("textDocument/codeAction", map[string]any{
				"textDocument": document, "range": lspRange{at, lspPlace{-5, 5}}, "context": map[string]any{},
			})
			e.tell("textDocument/didChange", map[string]any{
				"textDocument":   document,
				"contentChanges": []any{map[string]any{"range": lspRange{at, lspPlace{0, 1}}, "text": "x"}},
			})
		}
	}
	for _, params := range []any{
		nil, 1, "x", []any{}, map[string]any{"textDocument": 1}, map[string]any{"position": "x"},
	} {
		for _, method := range []string{
			"textDocument/completion", "textDocument/hover", "textDocument/codeAction", "textDocument/didOpen",
			"textDocument/didChange", "textDocument/didClose", "textDocument/none", "",
		} {
			ask(method, params)
		}
	}
	if got := e.show(path, writing); len(got) != 3 {
		t.Errorf("afterwards it finds %q", got)
	}
}

// TestLSP_Completes asks for what may stand at places of a text that is being written.
func TestLSP_Completes(t *testing.T) {
	e := startEditor(t, "brunt", "lsp")
	path := filepath.Join(t.TempDir(), "scenario.yaml")
	text := "version: 1\ntarget:\n  processes:\n    web: {command: [web]}\n    db: {command: [db]}\nload:\n  main:\n   " +
		" executor: spike\n    r\n" +
		"    flow:\n      - {get: /, \n      - \nchaos:\n  slow: {at: 1s, net\n  cut: {at: 9s, network.partition: {from: " +
		"web, to: \n" +
		"pacing: \nslo:\n  - p\n  - p95 < 2ms in \n"
	e.show(path, text)
	for _, c := range []struct {
		mark      string
		has, lack string
	}{
		{"    w", "", "command"}, // a name of the author's
		{"    r", "rise base peak start", "rate executor vus network.latency"},
		{"executor: ", "spike constant-arrival-rate replay", "network.latency"},
		{"{get: /, ", "name check post think", "get rate"},
		{"at: 1s, net", "network.latency for every", "at target"},
		{"to: ", "web db", "slow"},
		{"pacing: ", "auto precise efficient", "web"},
		{"  - p", "p95 recover availability", "slow"},
		{"2ms in ", "slow cut baseline", "p95 web"},
	} {
		got := e.completed(path, text, c.mark)
		for want := range strings.FieldsSeq(c.has) {
			if !slices.Contains(got, want) {
				t.Errorf("%q: %q is missing in %q", c.mark, want, got)
			}
		}
		for not := range strings.FieldsSeq(c.lack) {
			if slices.Contains(got, not) {
				t.Errorf("%q: %q does not belong there", c.mark, not)
			}
		}
	}
	text = "version: 1\ntarget:\n  stack: demo\n  with: {retries: on}\n  endpoints: {cache: " +
		"\"http://127.0.0.1:1\"}\nchaos:\n" +
		"  stop: {at: 1s, process.freeze: {service: \n  cut: {at: 9s, network.partition: {from: load, to: \n"
	e.show(path, text)
	for mark, want := range map[string]string{
		"service: ": "store notifications users posts gateway", "to: ": "store notifications users posts gateway cache",
	} {
		if got := strings.Join(e.completed(path, text, mark), " "); got != want {
			t.Errorf("%q: %q, want %q", mark, got, want)
		}
	}
}

// TestLSP_Explains asks for what is under the cursor.
func TestLSP_Explains(t *testing.T) {
	e := startEditor(t, "brunt", "lsp")
	path := filepath.Join(t.TempDir(), "scenario.yaml")
	text := "load:\n  main:\n    executor: spike\nchaos:\n  cut: {at: 9s, network.partition: {from: web, to: db}}\n" +
		"slo:\n  - p95 < 2ms\nstop: {when: [availability < 50%]}\n"
	e.show(path, text)
	var about struct{ Contents struct{ Value string } }
	for mark, want := range map[string]string{
		"executor": "**load.executor**", "p95": "percentile", "network.partition": "**chaos.network.partition**",
		"spike":        "an executor",
		"availability": "share of ok requests",
	} {
		e.at("textDocument/hover", path, text, mark, 1, &about)
		if !strings.Contains(about.Contents.Value, want) {
			t.Errorf("%s: %q lacks %q", mark, about.Contents.Value, want)
		}
	}
}

// TestLSP_Files checks what is not one scenario alone: a file that another extends is read as the editor has it, a YAML
// file that is no scenario has no mistakes, and a policy applies.
func TestLSP_Files(t *testing.T) {
	dir := t.TempDir()
	base, top, other := filepath.Join(dir, "base.yaml"), filepath.Join(dir, "scenario.yaml"),
		filepath.Join(dir, "compose.yaml")
	good := strings.NewReplacer("arival", "arrival", "latncy", "latency", "in slo", "in slow").Replace(writing)
	if err := os.WriteFile(base, []byte(good), 0o644); err != nil {
		t.Fatal(err)
	}
	e := startEditor(t, "brunt", "lsp")
	if got := e.show(top, "extends: base.yaml\npacing: precis\n"); len(got) != 1 ||
		!strings.HasPrefix(got[0], "2:9 precis: ") {
		t.Errorf("got %q", got)
	}
	e.open(base, writing)
	if got := e.seen(base, writing); len(got) != 3 {
		t.Errorf("the file that is extended has %q", got)
	}
	e.open(other, "services: {web: {image: x}}\nchaos: 1")
	e.tell("textDocument/didClose", map[string]any{"textDocument": map[string]any{"uri": fileURI(base)}})
	if got := e.seen(base, writing); len(got) != 0 {
		t.Errorf("the file that is closed has %q", got)
	}
	for {
		select {
		case d := <-e.found:
			if d.URI == fileURI(other) {
				t.Errorf("a file that is no scenario has %v", d.Diagnostics)
			}
			continue
		default:
		}
		break
	}
}

// TestLSP_Examples finds no mistake in the scenarios and drills of this repository: as `brunt validate`, whose word it
// is.
func TestLSP_Examples(t *testing.T) {
	suite.Sequential(t)
	e := startEditor(t, "brunt", "lsp")
	for _, dir := range []string{"examples/*/scenario.yaml", "scenarios/drills/library/*.yaml"} {
		files, err := filepath.Glob(filepath.Join(top, dir))
		if err != nil || len(files) < 10 {
			t.Fatalf("%q %v", files, err)
		}
		for _, file := range files {
			file, err := filepath.Abs(file)
			if err != nil {
				t.Fatal(err)
			}
			e.version = 0 // of another document
			said, mistakes := new(validateFlags).file(t.Context(), file)
			if got := e.show(file, read(t, file)); (len(got) == 0) != (mistakes == nil) || !said.Valid {
				t.Errorf("%s: found %q, and validate says %v", file, got, mistakes)
			}
			e.tell("textDocument/didClose", map[string]any{"textDocument": map[string]any{"uri": fileURI(file)}})
		}
	}
	e.version = 0
	own := "drill: 1\nname: own\nfamly: data\nlasts: 5s\nabout: mine\nchaos: {x: {at: 1s, crash: \"${role.it}\"}}\n"
	if got := e.show(filepath.Join(t.TempDir(), "own.yaml"), own); !slices.ContainsFunc(got,
		func(one string) bool { return strings.HasPrefix(one, "3:1 famly: ") }) {
		t.Errorf("in a drill it finds %q", got)
	}
}

// keyPlaces are the keys of a document with their places, for [ast.Walk].
type keyPlaces map[lspPlace]string

func (k keyPlaces) Visit(n ast.Node) ast.Visitor {
	if v, ok := n.(*ast.MappingValueNode); ok {
		key := v.Key.GetToken()
		k[lspPlace{key.Position.Line - 1, key.Position.Column - 1}] = key.Value
	}
	return k
}

// TestLSP_Written asks within each key of the examples and drills, which another parser of YAML finds: a key that the
// server explains is offered there as well, as while its author writes it.
func TestLSP_Written(t *testing.T) {
	suite.Sequential(t)
	var files []string
	for _, dir := range []string{"examples/*/*.yaml", "scenarios/drills/library/*.yaml"} {
		some, err := filepath.Glob(filepath.Join(top, dir))
		if err != nil || len(some) < 10 {
			t.Fatalf("%q %v", some, err)
		}
		files = append(files, some...)
	}
	e := startEditor(t, "brunt", "lsp")
	explained, want, mine := 0, 0, suite.OneIn(4)
	for _, file := range files {
		if !mine() {
			continue
		}
		want += 20 // of each file, in the mean
		text := read(t, file)
		parsed, err := parser.ParseBytes([]byte(text), 0)
		if err != nil {
			t.Fatal(err)
		}
		keys := keyPlaces{}
		for _, doc := range parsed.Docs {
			ast.Walk(keys, doc.Body)
		}
		e.open(file, text)
		for at, key := range keys {
			at.Character += len(key) - 1
			asked := map[string]any{"textDocument": map[string]any{"uri": fileURI(file)}, "position": at}
			var about struct{ Contents struct{ Value string } }
			e.ask("textDocument/hover", asked, &about)
			path, _, _ := strings.Cut(strings.TrimPrefix(about.Contents.Value, "**"), "**")
			if path != key && !strings.HasSuffix(path, "."+key) {
				continue // a name of the author's
			}
			explained++
			var got struct{ Items []struct{ Label string } }
			e.ask("textDocument/completion", asked, &got)
			if !slices.ContainsFunc(got.Items, func(i struct{ Label string }) bool { return i.Label == key }) {
				t.Errorf("%s:%d: %s is explained as %s, and %d others are offered", file, at.Line+1, key, path, len(got.Items))
			}
		}
		e.tell("textDocument/didClose", map[string]any{"textDocument": map[string]any{"uri": fileURI(file)}})
		for len(e.found) > 0 { // TestLSP_Examples looks at them
			<-e.found
		}
	}
	if explained < want {
		t.Errorf("only %d keys are explained", explained)
	}
	t.Logf("%d keys of %d files", explained, len(files))
}

// TestLSP_Ends ends with the editor: at once and with exit code 1 where it did not say shutdown, and without a hang at
// the end of its input or at what is no message.
func TestLSP_Ends(t *testing.T) {
	if testing.Short() {
		t.Skip("brunt in a process of its own, for 20 seconds")
	}
	brunt := "brunt"
	e := startEditor(t, brunt, "lsp")
	e.tell("exit", nil)
	if err := e.process.Wait(); err == nil || e.process.ProcessState.ExitCode() != 1 {
		t.Errorf("an exit without a shutdown: %v", err)
	}
	for _, in := range []string{"", "Content-Length: 3\r\n\r\n{{{", strings.Repeat("x", 1<<20)} {
		c := exec.Command(brunt, "lsp")
		c.Stdin = strings.NewReader(in)
		ended := make(chan error, 1)
		go func() { ended <- c.Run() }()
		select {
		case <-ended:
		case <-time.After(time.Minute):
			_ = c.Process.Kill()
			t.Fatalf("%.20q: the server does not end", in)
		}
	}
}

// TestLSP_Editors starts the server by the command line in each editor's settings.
func TestLSP_Editors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "scenario.yaml")
	dir, commands := filepath.Join(top, "examples", "editors"), map[string]bool{}
	for name, command := range map[string]*regexp.Regexp{
		"neovim.lua":          regexp.MustCompile(`cmd = \{ "(brunt)", "(lsp)" \}`),
		"helix.toml":          regexp.MustCompile(`command = "(brunt)"\nargs = \["(lsp)"\]`),
		"zed.json":            regexp.MustCompile(`"path": "(brunt)", "arguments": \["(lsp)"\]`),
		"vscode/package.json": regexp.MustCompile(`"default": \["(brunt)", "(lsp)"\]`),
	} {
		m := command.FindStringSubmatch(read(t, filepath.Join(dir, name)))
		if m == nil {
			t.Errorf("%s does not start brunt", name)
			continue
		}
		commands[strings.Join(m[1:], " ")] = true
	}
	for command := range commands {
		if got := startEditor(t, strings.Fields(command)...).show(path, writing); len(got) != 3 {
			t.Errorf("%s: found %q", command, got)
		}
	}
}

// TestLSP_VSCode runs the extension for Visual Studio Code in a stand-in for that editor, which has node's interface
// alone.
func TestLSP_VSCode(t *testing.T) {
	node := suite.Program(t, "node", "nodejs")
	path := filepath.Join(t.TempDir(), "scenario.yaml")
	if err := os.WriteFile(path, []byte(writing), 0o644); err != nil {
		t.Fatal(err)
	}
	extension, err := filepath.Abs(filepath.Join(top, "examples", "editors", "vscode", "extension.js"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(node, filepath.Join("testdata", "vscode.js"), extension, "brunt", path).Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var got struct {
		Severities, Kinds []int
		Messages, Items   []string
		About             string
		Actions           [][2]string
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if len(got.Messages) != 3 || got.Severities[0] != 0 || !slices.Contains(got.Items, "spike") || got.Kinds[0] != 11 ||
		!strings.Contains(got.About, "load.rate") || len(got.Actions) != 1 || got.Actions[0][1] != "constant-arrival-rate" {
		t.Errorf("got %+v", got)
	}
}
