package run_test

import (
	"go/ast"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// vocabulary lists the words that no name of the module has as a part, with the words to use instead.
// Names are those of packages, files, types, functions, fields, variables, constants and test data.
var vocabulary = map[string]string{
	"aimed": "OnNetworkChange", "anew": "again", "beat": "tick, heartbeat", "beats": "ticks, heartbeats", "burner": "stressor", "courier": "sender",
	"course": "series, schedule", "crooked": "what the test is about", "episode": "degradation", "far": "remote", "fate": "outcome", "fates": "outcomes",
	"fence": "allow-list", "fences": "rules", "fleet": "group, containers", "foresee": "forecast", "frame": "sample, header", "frames": "samples, headers",
	"furnish": "prepare", "hand": "agent", "handed": "by an agent", "hands": "agents", "heir": "what the test is about", "helped": "by an agent",
	"helper": "agent", "helpers": "what the file holds", "here": "local", "holder": "owner, lock, mapping", "holders": "owners", "judgeable": "decidable",
	"keeper": "request log", "knife": "cut", "lent": "agent", "look": "sample, snapshot", "looked": "sampled", "looker": "sampler", "looks": "samples",
	"mailbox": "notes", "met": "affected", "mortal": "what the test is about", "nameless": "what the file holds", "nobody": "the noun",
	"parcel": "batch", "rail": "allow-list", "ration": "limit", "readback": "verify", "remark": "note", "remarks": "notes", "rig": "what the test is about",
	"rooted": "OnRestart", "seal": "manifest, template", "sealed": "resolved", "sever": "sockets", "sheet": "summary", "sign": "evidence",
	"somebody": "the noun", "spot": "injection point", "spots": "injection points", "standing": "running totals", "starving": "resource", "talk": "rpc",
	"talks": "replies", "tile": "summary", "told": "the noun", "trip": "exchange", "trips": "exchanges", "uprooted": "OnRestart", "warden": "watchdog",
	"way": "direction, transport", "ways": "capabilities, routes", "who": "the noun", "whom": "the noun", "yonder": "remote",
}

// vocabularyOfText lists the words that no comment and no message has.
var vocabularyOfText = []string{
	"anew", "courier", "foresee", "helper", "judgeable", "mailbox", "nobody", "parcel", "somebody", "uprooted", "warden", "whom", "yonder",
}

// A wordUse is where a word of the vocabulary is used all the same: names and files that match, and the reason.
type wordUse struct{ names, files, reason string }

var wordsInUse = map[string][]wordUse{
	"frame": {
		{
			`.`, `^(targets/http/|chaos/proxy/|scenarios/run/.*h2|scenarios/k6/|cmd/brunt-k6/|scenarios/truth/drills/amqp)`,
			"the unit of HTTP/2, AMQP, codecs and the stream of brunt-k6",
		},
		{`^frame$`, `^cmd/brunt/terminal_unix_test`, "a picture of a terminal"},
	},
	"frames": {
		{`.`, `^(targets/http/|scenarios/run/.*|scenarios/k6/)`, "those of HTTP/2 and of brunt-k6"},
		{`^frames$`, `^(cmd/brunt/terminal_unix|reporters/terminal/terminal)_test`, "pictures of a terminal"},
	},
	"fences": {{`^fences$`, `^cmd/brunt/docs_test`, "fenced code of Markdown"}},
	"sign": {
		{
			`.`, `^(targets/|cmd/brunt/|reporters/evidence/|scenarios/(load|scenario|parse|sections)|scenarios/plan/|scenarios/reference/)`,
			"a cryptographic signature, and the key `sign`",
		},
		{`^sign$`, `^scenarios/syntax/`, "the sign of a number"},
		{`^signBit$`, `^scenarios/k6/`, "the sign of a number"},
	},
	"far":    {{`(?i)so_?far`, `.`, "so far"}},
	"hand":   {{`ByHand$`, `^chaos/journal/`, "a fault that a user takes back"}},
	"holder": {{`^holder$`, `^examples/08-`, "the holder of a lease, as in Kubernetes"}},
	"look":   {{`(?i)look`, `^(scenarios/compare/|cmd/brunt/ab|cmd/brunt/pool_test)`, "an interim look of a sequential test"}},
	"looks":  {{`(?i)looks`, `^(scenarios/compare/|cmd/brunt/pool_test)`, "interim looks of a sequential test"}},
	"looked": {{`(?i)looked`, `^(scenarios/compare/|cmd/brunt/gate)`, "an interim look of a sequential test"}},
	"way":    {{`UnderWay|underWay|GoAway`, `.`, "under way"}},
	"met":    {{`^met$`, `^(scenarios/|cmd/brunt/)`, "an objective or a condition that is met"}},
	"trip":   {{`(?i)round_?trip`, `.`, "round trip"}},
	"trips":  {{`(?i)round_?trips`, `.`, "round trips"}},
}

// textsInUse are where text has such a word all the same: words and files that match, and the reason.
var textsInUse = []wordUse{
	{
		`^(helper|warden)$`, `^(chaos/journal/version_docker_test|cmd/brunt/stray_watchdog_test|targets/platform/docker/container)\.go$`,
		"names that old versions have written to the engine",
	},
	{`^nobody$`, `^targets/demo/client\.go$`, "http.NoBody"},
	{`^nobody$`, `^targets/platform/container\.go$`, "the user of Unix systems"},
	{`.`, `^scenarios/run/vocabulary_test\.go$`, "these tables"},
}

// TestVocabulary holds names, comments and messages to the words of the field.
func TestVocabulary(t *testing.T) {
	used := map[string]bool{} // exceptions that are needed
	report := func(file, name, word string) {
		for i, u := range wordsInUse[word] {
			if regexp.MustCompile(u.names).MatchString(name) && regexp.MustCompile(u.files).MatchString(file) {
				used[word+string(rune('0'+i))] = true
				return
			}
		}
		t.Errorf("%s: %s: in place of %q write %s", file, name, word, vocabulary[word])
	}
	checkName := func(file, name string) {
		for _, word := range wordsOf(name) {
			if _, ok := vocabulary[word]; ok {
				report(file, name, word)
			}
		}
	}
	text := regexp.MustCompile(`(?i)\b(` + strings.Join(vocabularyOfText, "|") + `)\b`)
	checkText := func(file, part string) {
		for _, word := range text.FindAllString(part, -1) {
			word = strings.ToLower(word)
			allowed := func(u wordUse) bool {
				return regexp.MustCompile(u.names).MatchString(word) && regexp.MustCompile(u.files).MatchString(file)
			}
			if !slices.ContainsFunc(textsInUse, allowed) {
				t.Errorf("%s: %q in %q", file, word, part)
			}
		}
	}
	for _, f := range moduleFiles(t) {
		for name := range declared(f.ast) {
			checkName(f.path, name)
		}
		for _, group := range f.ast.Comments {
			checkText(f.path, group.Text())
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if s, ok := n.(*ast.BasicLit); ok && s.Kind == token.STRING && !f.test { // tests have data of their own
				checkText(f.path, s.Value)
			}
			return true
		})
	}
	for _, file := range treeFiles(t) {
		checkName(file, file)
		if !textFile.MatchString(file) {
			continue
		}
		b, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(file)))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			checkText(file, strings.TrimSpace(line))
			for _, name := range templateName.FindAllString(line, -1) {
				if path.Ext(file) == ".tmpl" {
					checkName(file, name)
				}
			}
		}
	}
	for word, all := range wordsInUse {
		for i, u := range all {
			if !used[word+string(rune('0'+i))] {
				t.Errorf("the exception of %q for %q in %q is not needed", word, u.names, u.files)
			}
		}
	}
}

// textFile matches the files besides Go whose text is held to the words: pages, scripts and styles of reports, and scripts of
// .ci. templateName matches a variable of a template.
var (
	textFile     = regexp.MustCompile(`\.(md|js|css|tmpl)$|^\.ci/[a-z]+$`)
	templateName = regexp.MustCompile(`\$[a-zA-Z]+`)
)

// wordsOf splits a name at capitals, digits and signs, in lower case.
func wordsOf(name string) []string {
	var words []string
	begin := 0
	runes := []rune(name)
	add := func(end int) {
		if end > begin {
			words = append(words, strings.ToLower(string(runes[begin:end])))
		}
	}
	for i, c := range runes {
		switch {
		case !unicode.IsLetter(c):
			add(i)
			begin = i + 1
		case unicode.IsUpper(c) && i > begin && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])):
			add(i)
			begin = i
		}
	}
	add(len(runes))
	return words
}

// declared returns the names that a file declares, parameters and local variables included.
func declared(f *ast.File) map[string]bool {
	names := map[string]bool{f.Name.Name: true}
	add := func(e ast.Expr) {
		if id, ok := e.(*ast.Ident); ok {
			names[id.Name] = true
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			names[n.Name.Name] = true
		case *ast.TypeSpec:
			names[n.Name.Name] = true
		case *ast.ValueSpec:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		case *ast.Field:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				for _, e := range n.Lhs {
					add(e)
				}
			}
		case *ast.RangeStmt:
			if n.Tok == token.DEFINE {
				add(n.Key)
				add(n.Value)
			}
		}
		return true
	})
	return names
}

// treeFiles lists the files of the repository, from its root, with slashes.
func treeFiles(t *testing.T) []string {
	t.Helper()
	root := filepath.Join("..", "..")
	var files []string
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != root && strings.HasPrefix(d.Name(), ".") && d.Name() != ".github" && d.Name() != ".ci":
			return filepath.SkipDir
		case d.IsDir():
			return nil
		}
		rel, err := filepath.Rel(root, file)
		files = append(files, filepath.ToSlash(rel))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
