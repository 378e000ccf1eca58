package convert_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"brunt/scenarios/convert"
	"brunt/scenarios/convert/converttest"
	"brunt/scenarios/convert/draft"
	"brunt/scenarios/syntax"
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
	"chaostoolkit": {
		{`.*\.pauses\.after`, "a pause after the last fault"},
		{`version|title|tags\[.*|contributions\..*`, "about the experiment"},
		{`.*\.toxic_name`, "the name of a toxic in toxiproxy, for its removal"},
		{`rollbacks\[.*`, "the rollback of a fault that brunt takes back itself"},
		{`steady-state-hypothesis\.probes\[[^\]]*\]\.type`, "always probe"},
		{`(secrets|configuration)\..*\.key`, "the source of a value that nothing uses"},
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
	"litmus": {
		{`metadata\..*`, "the name of the manifest, and where it is; appinfo names the application"},
		{`spec\.(annotationCheck|chaosServiceAccount|appinfo\.appkind)`, "how Litmus finds and reaches the application"},
		{`.*\.env\[(CONTAINER_RUNTIME|SOCKET_PATH|PROXY_PORT|CHAOS_LIB|TC_IMAGE)\]\.value`, "how Litmus works on a node"},
		{`.*\.env\[PODS_AFFECTED_PERC\]\.name`, "a variable without a value"},
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
	},
}

// wholes match the notes that a part of a source as a whole makes nothing, by format. They have the line of the part.
var wholes = map[string]string{
	"chaos-mesh":   `brunt has no such fault|pods in the namespace|is not Chaos Mesh's|the action "|its entry does not reach it`,
	"chaostoolkit": `^the (action|probe|rollback) ".*":|^where .* comes from|makes no valid fault`,
	"har":          `^[0-9]+ (requests?|static files?) |^a (WebSocket|stream)|which got no answer$`,
	"litmus":       `^the experiment |only a ChaosEngine names faults|^the probe `,
	"openapi":      ` is deprecated$|^security .* is not carried over|^a request with the method`,
	"postman":      `^authentication by|^a script|which is disabled$|^the file of|^the request `,
	"openslo":      `^AlertPolicy|^the SLO |the queries of`,
	"toxiproxy":    `a toxic of the type|a proxy without an upstream|makes no valid fault|the load goes to`,
	"vegeta":       `^a request with the method`,
}

// A leaf is a scalar of a source, by its path and its offset, with the lines of the maps and lists that it is in.
type leaf struct {
	path  string
	at    int
	line  int
	above []int
}

// said reports whether a note names the leaf: by its line, by one of its keys and the line of a part that it is in, or
// the whole part.
func (l leaf) said(kind string, notes []draft.Note) bool {
	keys := strings.FieldsFunc(l.path, func(r rune) bool { return strings.ContainsRune(".[]", r) })
	return slices.ContainsFunc(notes, func(n draft.Note) bool {
		if n.Line == l.line {
			return true
		}
		if _, lines, several := strings.Cut(n.Text, "in lines "); several {
			return slices.ContainsFunc(l.above, func(line int) bool {
				return regexp.MustCompile(`\b` + strconv.Itoa(line) + `\b`).MatchString(lines)
			})
		}
		if !slices.Contains(l.above, n.Line) {
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

// leavesOf returns the scalars of a source of YAML or JSON, one or several documents.
func leavesOf(t *testing.T, source string) (out []leaf) {
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
			out = append(out, leaf{path, line + len(string([]rune(text)[:n.Pos.Col-1])), n.Pos.Line, above})
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

// TestConvert_Leaves changes each value of each source of YAML or JSON: the scenario or its notes change as well, or
// the format defines that the value says nothing of a load, a fault or an objective.
func TestConvert_Leaves(t *testing.T) {
	needed := map[string]bool{}
	for path, kind := range converttest.Sources(t, "testdata") {
		switch filepath.Ext(path) {
		case ".json", ".yaml", ".har":
		default:
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		source := string(b)
		t.Run(filepath.Base(filepath.Dir(path))+"/"+filepath.Base(path), func(t *testing.T) {
			before, notes := says(kind, source), notesOf(kind, source)
			var silent []string
			for _, l := range leavesOf(t, source) {
				if says(kind, changed(source, l)) != before || l.said(kind, notes) {
					continue
				}
				i := slices.IndexFunc(mutes[kind], func(m mute) bool {
					return regexp.MustCompile(`^(?:` + m.path + `)$`).MatchString(l.path)
				})
				if i >= 0 {
					needed[kind+mutes[kind][i].path] = true
					continue
				}
				silent = append(silent, fmt.Sprintf("line %d: another value of %s changes nothing",
					1+strings.Count(source[:l.at], "\n"), l.path))
			}
			if len(silent) > 0 {
				t.Error(strings.Join(silent, "\n"))
			}
		})
	}
	for _, kind := range slices.Sorted(maps.Keys(mutes)) {
		for _, m := range mutes[kind] {
			if !needed[kind+m.path] {
				t.Errorf("%s: no file needs %s (%s)", kind, m.path, m.reason)
			}
		}
	}
}

// TestConvert_Corpus checks that there are enough files, of each format, and that each is converted or refused with a
// reason.
func TestConvert_Corpus(t *testing.T) {
	files := converttest.Sources(t, "testdata")
	if len(files) < 150 {
		t.Errorf("%d files, want at least 150", len(files))
	}
	kinds := slices.Collect(maps.Values(files))
	for _, kind := range convert.Kinds() {
		if !slices.Contains(kinds, kind) {
			t.Errorf("no file of %s", kind)
		}
	}
}
