package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/suite"
)

// TestBequeath_EveryRun: each function that starts a run gives it an heir.
func TestBequeath_EveryRun(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	runs := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			starts, heir := false, false
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.SelectorExpr:
					of, ok := n.X.(*ast.Ident)
					starts = starts || ok && of.Name == "run" && n.Sel.Name == "Run"
				case *ast.Ident:
					heir = heir || n.Name == "bequeath"
				}
				return true
			})
			if starts {
				runs++
			}
			if starts && !heir {
				t.Errorf("%s: %s starts a run without bequeath", file, f.Name.Name)
			}
		}
	}
	if runs < 3 {
		t.Errorf("%d functions start runs, want 3 or more", runs)
	}
}

// TestInherit_BothRuns: of two runs at once, as `ab --concurrent` makes them, both have a result that says the crash.
func TestInherit_BothRuns(t *testing.T) {
	wills := []will{
		{t.TempDir(), &result.Result{Version: result.ResultVersion, Run: "a"}},
		{t.TempDir(), &result.Result{Version: result.ResultVersion, Run: "b"}},
	}
	text, err := json.Marshal(wills)
	if err != nil {
		t.Fatal(err)
	}
	c, said := quietCommand()
	told := io.NopCloser(strings.NewReader(string(text) + "\npanic: oh\n\ngoroutine 1 [running]:\n"))
	var code exit
	if err := inherit(c, told, t.TempDir()); !errors.As(err, &code) || code != scenarios.ExitError {
		t.Errorf("the heir ends with %v, want %d: %s", err, scenarios.ExitError, said)
	}
	for _, w := range wills {
		text, err := os.ReadFile(filepath.Join(w.Folder, "result.json"))
		if err != nil || !bytes.Contains(text, []byte("brunt itself crashed: panic: oh")) {
			t.Errorf("the result of run %s is %q (%v)", w.Result.Run, text, err)
		}
	}
}

// crashing is a brunt in whose run a goroutine of no one panics, once a file that the pattern BRUNT_CRASH_IN names has
// the text of BRUNT_CRASH_AT.
func crashing() {
	onCrash() // as main does, which the goroutine may be ahead of
	if len(os.Args) > 1 && slices.Contains([]string{"run", "find", "ab"}, os.Args[1]) {
		go func() {
			suite.Within(time.Minute, func() bool {
				files, _ := filepath.Glob(os.Getenv("BRUNT_CRASH_IN"))
				return slices.ContainsFunc(files, func(file string) bool {
					text, _ := os.ReadFile(file)
					return bytes.Contains(text, []byte(os.Getenv("BRUNT_CRASH_AT")))
				})
			})
			var none []byte
			none[len(os.Args)] = 0
		}()
	}
	main()
}
