package convert_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"brunt/scenarios/convert"
	"brunt/scenarios/convert/converttest"
	"brunt/scenarios/convert/draft"
	"brunt/scenarios/syntax"

	"github.com/grafana/sobek/ast"
	"github.com/grafana/sobek/file"
	"github.com/grafana/sobek/parser"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	shell "mvdan.cc/sh/v3/syntax"
)

// A mute is a leaf that says nothing of a load, a fault or an objective, by the definition of its format.
type mute struct {
	path   string // a pattern of all of its path
	reason string
}

// mutes are such leaves by format. Each row is needed by some file of testdata.
var mutes = map[string][]mute{
	"chaos-mesh": {
		{`metadata\.namespace`, "where the manifest itself is; its selector names the namespace of the pods"},
		{`spec\.historyLimit`, "how many finished objects Chaos Mesh keeps"},
		{`spec\.target`, "a request or an answer, which is the same to a delay of the answer's begin"},
	},
	"disruptor": {
		{`options\.scenarios\.load\..*|(buy|default)\.get`, "the load runs the script itself"},
		{
			`.*(exclude\.labels\.tier|ServiceDisruptor|PodDisruptor\.select\.labels\.app)`,
			"pods, of which a note on the call speaks",
		},
	},
	"grpc": {
		{`.*\.(options\..*|json_name|number)|file\[[^\]]*\]\.name`, "the run reads the set itself"},
		{`file\[google/protobuf/timestamp\.proto\]\..*`, "a type that has a value of its own"},
		{`.*\.field\[[^\]]*\]\.type`, "a number of another type"},
		{`.*\.field\[of\]\..*`, "a message within one of its own type, which is left out"},
		{`.*\.field\[cash\]\..*|.*\.oneof_decl\[.*`, "a oneof, of which the first field is sent"},
		{`.*\.message_type\[Nothing\]\.name|.*\.input_type`, "a message without fields"},
		{`.*\.value\[NONE\]\.name`, "the first value of an enum, which means that none is set"},
		{`.*\.output_type`, "an answer"},
	},
	"har": {
		{`log\.(version|creator\..*)`, "what wrote the file"},
		{`.*\.(httpVersion|headersSize|bodySize|statusText|size|timings\..*)`, "how the recorded exchange went"},
		{`.*\.time`, "how long the recorded answer took"},
		{`.*\.response\.(content\..*|headers\[.*)`, "an answer, of which a later request sends nothing"},
		{`.*\.startedDateTime`, "an instant; pauses are those between requests, and short ones are the browser's"},
		{`.*\.request\.headers\[(?i:sec-.*|:.*|accept|cookie|host|content-length|cache-control|pragma)\]\..*`, "headers that a browser adds"},
		{`.*\.(postData\.mimeType|headers\[content-type\]\.value)`, "the type of the body, which stands in two places"},
		{`.*\.request\.cookies\[.*`, "cookies of answers in the recording, which brunt keeps itself"},
		{`.*\._resourceType`, "what the browser used it for"},
	},
	"curl": {
		{`(set|jq|echo done)(\..*)?`, "programs that send nothing"},
	},
	"jmeter": {
		{`.*/TestPlan\.(functional_mode|comments)`, "what the editor keeps, and text for readers"},
		{`.*/(ThroughputController\.maxThroughput|savedValue)`, "what the editor keeps"},
		{`.*/HTTPSampler\.implementation`, "the library by which JMeter sends"},
		{`.*/HTTPArgument\.always_encode`, "whether characters are encoded, of a value without such, or of a form"},
		{`.*/HTTPArgument\.use_equals`, "whether an equals sign stands before no value, of an argument with one"},
		{`.*ThreadGroup/Unit`, "minutes, which are the default"},
		{`.*/CSVDataSet/(quotedData|stopThread)`, "of a file without quotes, and of rows that begin again"},
		{`.*/SetupThreadGroup/ThreadGroup\.ramp_time`, "when threads begin, of a group with one thread"},
		{`.*/ThreadGroup/ThreadGroup\.scheduler`, "whether a duration holds, of a group without one"},
		{`.*/LoopController\.continue_forever`, "the number of loops says it"},
		{`.*/Assertion\.assume_success`, "whether the status counts, beside an assertion on the status"},
		{`.*/JSONPathAssertion/ISREGEX`, "how a value is compared, of an assertion without one"},
		{`.*/HTTPSampler\.DO_MULTIPART_POST`, "a file makes it multipart as well"},
	},
	"k6": {
		{`(default|one|check|sleep|BASE)\b.*`, "the load runs the script itself"},
		{
			`options\.(vus|duration|stages|scenarios|thresholds)\b.*`,
			"k6 reads its options itself, and judges by its thresholds",
		},
	},
	"openapi": {
		{`openapi|info\..*`, "about the document"},
		{`.*\.(description|summary|tags)(\..*|\[.*)?`, "text for readers"},
		{`.*\.variables\..*\.enum\[.*`, "other values of a variable, which has a default"},
		{`.*\.(type|required|readOnly|style|enum|maximum|format)(\[.*)?`, "what values may be, where an example or a default is taken"},
	},
	"openslo": {
		{`spec\.service|.*\.?(displayName|description)|metadata\..*|spec\.indicator\.metadata\.name`, "names, and text for readers"},
	},
	"postman": {
		{`info\..*`, "about the collection"},
		{`.*\.description`, "text for readers"},
		{`.*\.url\.raw`, "the URL as the editor shows it; its parts are sent"},
		{`.*\.auth\.[a-z0-9]+\[[^\]]*\]\.type`, "always a text"},
		{`.*\.script\.type`, "always JavaScript"},
		{`.*\.(formdata|urlencoded)\[[^\]]*\]\.type`, "text, which is the default"},
		{`auth\..*`, "the authentication of a collection whose requests all have another"},
		{`variable\[.*`, "a variable that no request uses"},
	},
	"toxiproxy": {
		{`(.*\.)?listen`, "brunt's links have ports of their own"},
		{`.*\.(upstream|name)`, "a proxy without a fault"},
		{`docker exec(\.-h)?`, "where toxiproxy itself runs"},
		{`toxiproxy-cli (list|create\.-l)`, "a command that only reads, and a port of the proxy"},
	},
}

// wholes match the notes that a part of a source as a whole makes nothing, by format. They have the line of the part.
var wholes = map[string]string{
	"chaos-mesh": `brunt has no such fault|pods in the namespace|is not Chaos Mesh's|the action "|its entry does not reach it`,
	"har":        `^[0-9]+ (requests?|static files?) |^a (WebSocket|stream)|which got no answer$`,
	"openapi":    ` is deprecated$|^security .* is not carried over|^a request with the method`,
	"curl":       `only the shell knows|^the function |runs only if the one before`,
	"jmeter": `which is disabled$|^the counter |^the assertion |: its steps are done each time|` +
		`^[A-Za-z0-9.]+ "[^"]*"$`,
	"postman": ` of the (test|script before the request)$|^authentication by|^a script|which is disabled$|` +
		`^the file of|^the request `,
	"openslo": `^AlertPolicy|^the SLO |the queries of`,
	"toxiproxy": `a toxic of the type|a proxy without an upstream|makes no valid fault|the load goes to|` +
		`^toxiproxy-cli .*: a variable`,
	"vegeta": `^a request with the method`,
}

// A leaf is a scalar of a source, by its path and its offset, with the lines of the maps and lists that it is in.
type leaf struct {
	path  string
	at    int
	end   int // of a word of a shell
	line  int
	above []int
	alone bool // on its line
}

// said reports whether a note names the leaf: by its line if it is alone there, by one of its keys and its line or that
// of a part that it is in, or the whole part.
func (l leaf) said(kind string, notes []draft.Note) bool {
	keys := strings.FieldsFunc(l.path, func(r rune) bool { return strings.ContainsRune(".[]/ ", r) })
	return slices.ContainsFunc(notes, func(n draft.Note) bool {
		if l.alone && n.Line == l.line {
			return true
		}
		if _, lines, several := strings.Cut(n.Text, "in lines "); several {
			return slices.ContainsFunc(l.above, func(line int) bool {
				return regexp.MustCompile(`\b` + strconv.Itoa(line) + `\b`).MatchString(lines)
			})
		}
		if n.Line != l.line && !slices.Contains(l.above, n.Line) {
			return false
		}
		return wholes[kind] != "" && regexp.MustCompile(wholes[kind]).MatchString(n.Text) ||
			slices.ContainsFunc(keys, func(key string) bool {
				return regexp.MustCompile(`(^|[^A-Za-z])` + regexp.QuoteMeta(key) + `([^A-Za-z]|$)`).MatchString(n.Text)
			})
	})
}

// letter matches values that are more than the bracket that ends a statement.
var letter = regexp.MustCompile(`[\pL\pN]`)

// leavesOf returns the leaves of a source, by the ending of its file.
func leavesOf(t *testing.T, file, source string) (out []leaf) {
	t.Helper()
	switch filepath.Ext(file) {
	case ".jmx":
		out = leavesOfXML(t, source)
	case ".sh":
		out = leavesOfShell(t, source)
	case ".js":
		out = leavesOfScript(t, source)
	case ".txt", ".vegeta":
		out = leavesOfLines(source, `\S+`)
	case ".bat":
		out = leavesOfLines(source, `[\pL\pN]+`)
	default:
		out = leavesOfYAML(t, source)
	}
	count := map[int]int{}
	for _, l := range out {
		count[l.line]++
	}
	for i := range out {
		out[i].alone = count[out[i].line] == 1
	}
	return out
}

// leavesOfXML returns the texts of elements without others in them, by the names of the elements that they are in.
func leavesOfXML(t *testing.T, source string) (out []leaf) {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(source))
	dec.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	var names []string
	var lines []int
	for {
		at := int(dec.InputOffset())
		line, _ := dec.InputPos()
		token, err := dec.RawToken()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			name := token.Name.Local
			for _, a := range token.Attr {
				if a.Name.Local == "name" && a.Value != "" {
					name = a.Value
				}
			}
			names, lines = append(names, name), append(lines, line)
		case xml.EndElement:
			names, lines = names[:len(names)-1], lines[:len(lines)-1]
		case xml.CharData:
			if letter.MatchString(string(token)) {
				out = append(out, leaf{path: strings.Join(names, "/"), at: at, line: line, above: slices.Clone(lines)})
			}
		}
	}
}

// spoken are names of flags in notes.
var spoken = map[string]string{"-m": "max-time", "-b": "Cookie"}

// leavesOfShell returns the words of the commands of a script, each by its program, its first word, and the flag before
// it.
func leavesOfShell(t *testing.T, source string) (out []leaf) {
	t.Helper()
	file, err := shell.NewParser().Parse(strings.NewReader(source), "source")
	if err != nil {
		t.Fatal(err)
	}
	var within []int // lines of the nodes that contain the current one
	add := func(n shell.Node, path string) {
		at := int(n.Pos().Offset())
		if letter.MatchString(source[at:n.End().Offset()]) {
			out = append(out, leaf{
				path: path, at: at, end: int(n.End().Offset()), line: int(n.Pos().Line()), above: slices.Clone(within),
			})
		}
	}
	shell.Walk(file, func(n shell.Node) bool {
		if n == nil {
			within = within[:len(within)-1]
			return true
		}
		line := int(n.Pos().Line())
		if n == shell.Node(file) {
			line = -1 // a note of the first line is not one of all others
		}
		within = append(within, line)
		switch n := n.(type) {
		case *shell.Assign:
			if n.Value != nil {
				add(n.Value, n.Name.Value)
			}
		case *shell.CallExpr:
			program, flag := "", ""
			for i, w := range n.Args {
				text := strings.Trim(source[w.Pos().Offset():w.End().Offset()], `"'`)
				if i == 0 {
					program = filepath.Base(text)
				} else if i == 1 && regexp.MustCompile(`^[a-z]+$`).MatchString(text) {
					program += " " + text
				}
				if strings.HasPrefix(text, "-") {
					flag = strings.TrimSuffix("."+text+"/"+spoken[text], "/")
				}
				add(w, program+flag)
				if !strings.HasPrefix(text, "-") {
					flag = ""
				}
			}
		}
		return true
	})
	return out
}

// leavesOfScript returns the literals of a script of JavaScript, each by the properties, calls, variables and functions
// that it is in.
func leavesOfScript(t *testing.T, source string) (out []leaf) {
	t.Helper()
	program, err := parser.ParseFile(&file.FileSet{}, "source", source, 0, parser.WithDisableSourceMaps, parser.IsModule)
	if err != nil {
		t.Fatal(err)
	}
	line := func(at file.Idx) int { return 1 + strings.Count(source[:at-1], "\n") }
	name := func(e ast.Expression) string {
		switch e := e.(type) {
		case *ast.Identifier:
			return e.Name.String()
		case *ast.DotExpression:
			return e.Identifier.Name.String()
		case *ast.StringLiteral:
			return e.Value.String()
		}
		return ""
	}
	seen := map[any]bool{}
	var walk func(v reflect.Value, path string, above []int)
	walk = func(v reflect.Value, path string, above []int) {
		within := func(more ast.Expression, parts ...any) {
			path, above := strings.TrimPrefix(path+"."+name(more), "."), append(slices.Clip(above), line(more.Idx0()))
			for _, p := range parts {
				walk(reflect.ValueOf(p), path, above)
			}
		}
		add := func(at file.Idx) {
			out = append(out, leaf{path: path, at: int(at) - 1, line: line(at), above: above})
		}
		switch v.Kind() {
		case reflect.Interface:
			walk(v.Elem(), path, above)
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i), path, above)
			}
		case reflect.Struct:
			for i := range v.NumField() {
				if v.Type().Field(i).IsExported() {
					walk(v.Field(i), path, above)
				}
			}
		case reflect.Pointer:
			if v.IsNil() || v.Type().Elem().PkgPath() == "github.com/grafana/sobek/file" || seen[v.Interface()] {
				return
			}
			seen[v.Interface()] = true
			switch n := v.Interface().(type) {
			case *ast.StringLiteral:
				add(n.Idx)
			case *ast.NumberLiteral:
				add(n.Idx)
			case *ast.BooleanLiteral:
				add(n.Idx)
			case *ast.TemplateElement:
				if letter.MatchString(n.Literal) {
					add(n.Idx)
				}
			case *ast.PropertyKeyed:
				within(n.Key, n.Value)
			case *ast.CallExpression:
				walk(reflect.ValueOf(n.Callee), path, above)
				within(n.Callee, n.ArgumentList)
			case *ast.NewExpression:
				within(n.Callee, n.ArgumentList)
			case *ast.Binding:
				if n.Initializer != nil {
					within(n.Target.(ast.Expression), n.Initializer)
				}
			case *ast.FunctionLiteral:
				if n.Name == nil {
					walk(v.Elem(), path, above)
				} else {
					within(n.Name, n.Body)
				}
			default:
				walk(v.Elem(), path, above)
			}
		}
	}
	walk(reflect.ValueOf(program), "", nil)
	return out
}

// leavesOfLines returns what a pattern matches in lines but those of comments, each by the line's first word, with the
// line of the block that it is in.
func leavesOfLines(source, pattern string) (out []leaf) {
	at, block := 0, 0
	for i, line := range strings.Split(source, "\n") {
		if strings.TrimSpace(line) == "" {
			block = i + 1
		} else if !strings.HasPrefix(line, "#") {
			first, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			for _, w := range regexp.MustCompile(pattern).FindAllStringIndex(line, -1) {
				out = append(out, leaf{
					path: strings.TrimSuffix(first, ":"), at: at + w[0], line: i + 1, above: []int{block + 1},
				})
			}
		}
		at += len(line) + 1
	}
	return out
}

// leavesOfYAML returns the scalars of a source of YAML or JSON, one or several documents.
func leavesOfYAML(t *testing.T, source string) (out []leaf) {
	t.Helper()
	starts := []int{0}
	for i, c := range source {
		if c == '\n' {
			starts = append(starts, i+1)
		}
	}
	var walk func(n *syntax.Node, path string, above []int)
	walk = func(n *syntax.Node, path string, above []int) {
		within := append(slices.Clip(above), n.Pos.Line)
		for _, f := range n.Fields {
			walk(f.Value, strings.TrimPrefix(path+"."+f.Key, "."), append(slices.Clip(within), f.Pos.Line))
		}
		for i, item := range n.Items {
			label := strconv.Itoa(i)
			for _, key := range []string{"name", "key"} {
				if named := item.Get(key); named != nil && named.Value != "" {
					label = named.Value
					break
				}
			}
			walk(item, path+"["+label+"]", within)
		}
		if n.Kind != syntax.Map && n.Kind != syntax.List && n.Kind != syntax.Null && letter.MatchString(n.Value) {
			line := starts[n.Pos.Line-1]
			text, _, _ := strings.Cut(source[line:], "\n")
			out = append(out, leaf{
				path: path, at: line + len(string([]rune(text)[:n.Pos.Col-1])), line: n.Pos.Line, above: above,
			})
		}
	}
	if strings.HasPrefix(source, "{") || strings.HasPrefix(source, "[") { // JSON has tabs only outside of texts
		source = strings.ReplaceAll(source, "\t", " ")
	}
	document, begin := "", 0
	read := func() {
		if strings.Trim(document, "# \n") == "" {
			return
		}
		m, nodes := syntax.NewMistakes(nil, nil), 0
		n := syntax.Read("source", []byte(document), m, &nodes)
		if err := m.Err(); err != nil {
			t.Fatal(err)
		}
		walk(n, "", nil)
	}
	for line := range strings.Lines(source) {
		begin += len(line)
		if strings.TrimRight(line, "\n") == "---" || strings.HasPrefix(line, "{") && strings.Contains(document, "{") {
			read()
			document = strings.Repeat("#\n", strings.Count(source[:begin], "\n")-1)
			if strings.HasPrefix(line, "{") {
				document += line
				continue
			}
			document += "#\n"
			continue
		}
		document += line
	}
	read()
	return out
}

// notesOf returns the notes of a conversion or of a refusal.
func notesOf(kind, source string) []draft.Note {
	made, err := convert.Convert([]byte(source),
		draft.Options{Kind: kind, File: "source", From: "testdata", To: "testdata"})
	var refused *draft.RefusedError
	if errors.As(err, &refused) {
		return refused.Notes
	}
	if err != nil {
		return nil
	}
	return made.Notes
}

// changed returns the source with another value of a leaf.
func changed(source string, l leaf) string {
	before, rest := source[:l.at], source[l.at:]
	if rest[0] == '|' || rest[0] == '>' { // a block: its first line
		i := strings.IndexByte(rest, '\n') + 1
		i += len(rest[i:]) - len(strings.TrimLeft(rest[i:], " "))
		before, rest = before+rest[:i], rest[i:]
	}
	if rest[0] == '"' || rest[0] == '\'' {
		before, rest = before+rest[:1], rest[1:]
	}
	for _, pair := range [][2]string{{"true", "false"}, {"false", "true"}} {
		if after, ok := strings.CutPrefix(rest, pair[0]); ok {
			return before + pair[1] + after
		}
	}
	if rest[0] >= '0' && rest[0] <= '9' || rest[0] == '-' && rest[1] >= '0' && rest[1] <= '9' {
		if rest[0] == '-' {
			before, rest = before+"-", rest[1:]
		}
		return before + "3" + rest
	}
	return before + "zq" + rest
}

// TestConvert_Leaves changes each value of each source, and of those of JSON in one line: the scenario or its notes
// change as well, or the format defines that the value says nothing of a load, a fault or an objective.
func TestConvert_Leaves(t *testing.T) {
	needed := map[string]bool{}
	for path, kind := range converttest.Sources(t, "testdata") {
		switch filepath.Ext(path) {
		case ".ts", ".csv", ".bin":
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte("ISO-8859-1")) {
			text := strings.Replace(string(b), "ISO-8859-1", "UTF-8", 1)
			b = []byte(strings.Map(func(r rune) rune { return r & 0x7f }, text))
		}
		name := filepath.Base(filepath.Dir(path)) + "/" + filepath.Base(path)
		if kind == "grpc" {
			t.Run(name, func(t *testing.T) { walkDescriptors(t, b, needed) })
			continue
		}
		t.Run(name, func(t *testing.T) { walkLeaves(t, kind, path, string(b), needed) })
		var line bytes.Buffer
		if json.Compact(&line, b) == nil {
			t.Run(name+" in one line", func(t *testing.T) { walkLeaves(t, kind, path, line.String(), needed) })
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(mutes)) {
		for _, m := range mutes[kind] {
			if !needed[kind+m.path] {
				t.Errorf("%s: no file needs %s (%s)", kind, m.path, m.reason)
			}
		}
	}
}

// walkLeaves reports the leaves of a source that say nothing. It notes the mutes that it needs.
func walkLeaves(t *testing.T, kind, file, source string, needed map[string]bool) {
	before, notes := says(kind, source), notesOf(kind, source)
	var silent []string
	for _, l := range leavesOf(t, file, source) {
		if says(kind, changed(source, l)) != before || l.said(kind, notes) {
			continue
		}
		if isMute(kind, l.path, needed) {
			continue
		}
		silent = append(silent, fmt.Sprintf("line %d: another value of %s changes nothing",
			1+strings.Count(source[:l.at], "\n"), l.path))
	}
	if len(silent) > 0 {
		t.Error(strings.Join(silent, "\n"))
	}
}

// isMute reports whether a leaf says nothing by the definition of its format. It notes the mute that it needs.
func isMute(kind, path string, needed map[string]bool) bool {
	for _, m := range mutes[kind] {
		if regexp.MustCompile(`^(?:` + m.path + `)$`).MatchString(path) {
			needed[kind+m.path] = true
			return true
		}
	}
	return false
}

// walkDescriptors is walkLeaves for a set of descriptors.
func walkDescriptors(t *testing.T, source []byte, needed map[string]bool) {
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(source, &set); err != nil {
		t.Fatal(err)
	}
	before := says("grpc", string(source))
	var checks []func()
	var walk func(m protoreflect.Message, path string)
	walk = func(m protoreflect.Message, path string) {
		m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
			path := strings.TrimPrefix(path+"."+string(f.Name()), ".")
			check := func(to func(protoreflect.Value), v protoreflect.Value) {
				checks = append(checks, func() {
					to(otherValue(f, v))
					changed, err := proto.Marshal(&set)
					if to(v); err != nil {
						t.Fatal(err)
					}
					if says("grpc", string(changed)) == before && !isMute("grpc", path, needed) {
						t.Errorf("another value of %s, not %v, changes nothing", path, v)
					}
				})
			}
			switch {
			case f.Message() != nil && f.IsList():
				for i := range v.List().Len() {
					item := v.List().Get(i).Message()
					walk(item, fmt.Sprintf("%s[%v]", path, item.Get(item.Descriptor().Fields().ByName("name"))))
				}
			case f.Message() != nil:
				walk(v.Message(), path)
			case f.IsList():
				for i := range v.List().Len() {
					check(func(to protoreflect.Value) { v.List().Set(i, to) }, v.List().Get(i))
				}
			default:
				check(func(to protoreflect.Value) { m.Set(f, to) }, v)
			}
			return true
		})
	}
	walk(set.ProtoReflect(), "")
	for _, check := range checks {
		check()
	}
}

// otherValue returns another value of a field.
func otherValue(f protoreflect.FieldDescriptor, v protoreflect.Value) protoreflect.Value {
	switch f.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString("zq" + v.String())
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(!v.Bool())
	case protoreflect.EnumKind:
		values := f.Enum().Values()
		i := values.ByNumber(v.Enum()).Index()
		return protoreflect.ValueOfEnum(values.Get((i + 1) % values.Len()).Number())
	}
	return protoreflect.ValueOfInt32(int32(v.Int()) + 3)
}

// A shellScript is a source that is a script of the shell.
type shellScript struct{ name, kind, source string }

// shellScripts reads the sources that are scripts of the shell.
func shellScripts(t *testing.T) (list []shellScript) {
	t.Helper()
	for path, kind := range converttest.Sources(t, "testdata") {
		if filepath.Ext(path) != ".sh" {
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(filepath.Dir(path)) + "/" + filepath.Base(path)
		list = append(list, shellScript{name, kind, string(b)})
	}
	return list
}

// TestConvert_Variables puts a variable in place of each word of each script of the shell, and of what follows the
// first = or @ in it: the scenario reads the variable, or a note says what is lost.
func TestConvert_Variables(t *testing.T) {
	for _, script := range shellScripts(t) {
		kind, source := script.kind, script.source
		t.Run(script.name, func(t *testing.T) {
			before := notesOf(kind, source)
			for _, l := range leavesOfShell(t, source) {
				if isMute(kind, l.path, map[string]bool{}) {
					continue
				}
				word := source[l.at:l.end]
				for _, other := range []string{`"$ZQ"`, behind.ReplaceAllString(word, `'$1'"$$ZQ"`)} {
					source := source[:l.at] + other + source[l.end:]
					made, _ := saysOf(draft.Options{Kind: kind, File: "source"}, source)
					if other == word || made != nil && reads.MatchString(made.Text) {
						continue
					}
					notes := slices.DeleteFunc(notesOf(kind, source), func(n draft.Note) bool {
						return strings.Contains(n.Text, "is read from the environment")
					})
					if l.said(kind, notes) || slices.ContainsFunc(notes, func(n draft.Note) bool {
						return !slices.Contains(before, n) &&
							(n.Line == l.line || slices.Contains(l.above, n.Line) || l.at > 0 && source[l.at-1] == '=')
					}) {
						continue
					}
					t.Errorf("line %d: with %s in place of %s neither the scenario nor a note has the variable", l.line, other, word)
				}
			}
		})
	}
}

// behind matches a word without variables, up to its first = or @; reads matches a line of a scenario, but a comment,
// that reads the variable ZQ.
var (
	behind = regexp.MustCompile(`^["']?([^"'$=@]*(?:=[@<]?|@))[^"'$]*["']?$`)
	reads  = regexp.MustCompile(`(?m)^ *[^# ].*[^@]\$\{env\.ZQ\}`)
)

// TestConvert_Choices puts each script of the shell into a part that chooses whether its commands run, or how often: a
// note says so.
func TestConvert_Choices(t *testing.T) {
	for _, script := range shellScripts(t) {
		for _, part := range []struct{ begin, end, want string }{
			{"for i in $LIST; do", "done", "a loop"},
			{"while true; do", "done", "a loop with a condition"},
			{"if true; then", "fi", "the condition of an if"},
			{"case $A in a)", ";; esac", "the choice of a case"},
			{"f() {", "}", "the function f"},
			{"false || {", "}", "only if the one before fails"},
			{"[ $A = 1 ] && {", "}", "only if the one before succeeds"},
		} {
			t.Run(script.name+"/"+part.begin, func(t *testing.T) {
				source := "#!/bin/sh\n" + part.begin + "\n" + script.source + "\n" + part.end + "\n"
				if !slices.ContainsFunc(notesOf(script.kind, source), func(n draft.Note) bool {
					return n.Line > 0 && strings.Contains(n.Text, part.want)
				}) {
					t.Errorf("no note has %q", part.want)
				}
			})
		}
	}
}

// withoutPart are the sources that are refused: they have faults or objectives, and none that a scenario can have.
var withoutPart = []string{
	"chaos-mesh/aws.yaml", "chaos-mesh/io.yaml", "chaos-mesh/jvm.yaml", "chaos-mesh/task.yaml", "openslo/depth.yaml",
	"toxiproxy/noop.json",
}

// TestConvert_Corpus checks that there are enough files, of each format, and that each is converted, but for those that
// are refused with a reason.
func TestConvert_Corpus(t *testing.T) {
	files := converttest.Sources(t, "testdata")
	if len(files) < 144 {
		t.Errorf("%d files, want at least 144", len(files))
	}
	for path, kind := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := kind + "/" + filepath.Base(path)
		_, err = convert.Convert(b, draft.Options{Kind: kind, File: filepath.Base(path), From: filepath.Dir(path)})
		switch refused := slices.Contains(withoutPart, name); {
		case err != nil && !refused:
			t.Errorf("%s: %v", name, err)
		case refused && (err == nil || !strings.Contains(err.Error(), "is in it that a scenario could make")):
			t.Errorf("%s: %v, want a refusal", name, err)
		}
	}
	kinds := slices.Collect(maps.Values(files))
	for _, kind := range convert.Kinds() {
		if !slices.Contains(kinds, kind) {
			t.Errorf("no file of %s", kind)
		}
	}
}
