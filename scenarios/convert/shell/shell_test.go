package shell_test

import (
	"fmt"
	"strings"
	"testing"

	"brunt/scenarios/convert/draft"
	"brunt/scenarios/convert/shell"
)

// lines writes commands as `line: words`, with what is lost, paused and beside.
func lines(all []shell.Command, indent string) string {
	var out strings.Builder
	for _, c := range all {
		words, unknown := c.Plain()
		switch {
		case c.Beside != nil:
			fmt.Fprintf(&out, "%s%d: beside\n%s", indent, c.Line, lines(c.Beside, indent+"  "))
		case c.Lost != "":
			fmt.Fprintf(&out, "%s%d: lost: %s\n", indent, c.Line, c.Lost)
		case unknown:
			fmt.Fprintf(&out, "%s%d: %s ?\n", indent, c.Line, c.Program)
		case c.Program == "sleep":
			fmt.Fprintf(&out, "%s%d: sleep %s\n", indent, c.Line, c.Pause)
		default:
			fmt.Fprintf(&out, "%s%d: %s\n", indent, c.Line, strings.TrimSpace(c.Program+" "+strings.Join(words, " ")))
		}
	}
	return out.String()
}

// TestRead reads scripts without variables of the environment: what only the shell knows is lost.
func TestRead(t *testing.T) {
	for _, c := range []struct {
		name, source string
		want         []string // nil: many, up to the bounds
	}{
		{
			"a variable of a subshell", "A=one\n(A=two)\n( A=two; true ) &\nhit $A\n",
			[]string{"4: hit one"},
		},
		{
			"a variable that is read", "A=one\nread -p which A\nhit $A\nhit db\n",
			[]string{"2: lost: the program read", "3: hit ?", "4: hit db"},
		},
		{
			"commands in the background", "hit a &\nhit b &\nwait\nhit c\n",
			[]string{
				"1: beside", "  1: hit a", "2: beside", "  2: hit b", "3: wait", "4: hit c",
			},
		},
		{
			"a loop", "while true; do hit a; sleep 9; done\n",
			[]string{
				"1: lost: a loop with a condition: its commands run once", "1: hit a", "1: sleep 9s",
			},
		},
		{
			"a group in the background", "(sleep 30; hit a; sleep 40; hit b) &\nsleep 5\nhit c\n",
			[]string{
				"1: beside", "  1: sleep 30s", "  1: hit a", "  1: sleep 40s", "  1: hit b", "2: sleep 5s",
				"3: hit c",
			},
		},
		{
			"choices", "if [ -z \"$1\" ]; then echo usage; exit 1; fi\ncase $1 in\nslow) hit a;;\nesac\n" +
				"if true; then\n  hit b\nelif false; then\n  hit c\nfi\ntrue ||\n  hit d\n" +
				"[ -n \"$A\" ] && hit e\nhit f || exit 1\nhit g && hit h\n",
			[]string{
				"2: lost: the choice of a case: the commands of each branch run", "3: hit a",
				"5: lost: the condition of an if: the commands of each branch run", "6: hit b",
				"7: lost: the condition of an if: the commands of each branch run", "8: hit c",
				"11: lost: that a command runs only if the one before fails", "11: hit d",
				"12: lost: that a command runs only if the one before succeeds", "12: hit e", "13: hit f",
				"14: hit g", "14: hit h",
			},
		},
		{
			"functions", "lose() {\n  hit a\n  hit $1\n}\nnever() {\n  hit never\n}\n" +
				"turn() { turn; }\nlose b\nlose c &\nturn\n",
			[]string{
				"2: hit a", "3: hit b", "10: beside", "  2: hit a", "  3: hit c",
				"8: lost: a call of the function turn: there are too many",
				"5: lost: the function never: nothing calls it",
			},
		},
		{
			"a function for the program", "hit() { docker run --rm gaiaadm/hit --all \"$@\"; }\nhit web\nhit db\n",
			[]string{"2: hit --all web", "3: hit --all db"},
		},
		{
			"functions that are not all known", "hit() { command hit --all $I \"$@\"; }\n" +
				"hit web\nsleep() { delay \"$1\"; }\nsleep 30\nhit $DB\n",
			[]string{
				"1: lost: a part of the function hit: only the shell knows what it is", "2: hit web",
				"3: lost: the program delay", "4: sleep 30s", "5: hit ?",
			},
		},
		{
			"variables, and loops over names", "T=web\nhit $T\nfor c in a b; do hit $c; sleep 9; done\n" +
				"[ -z \"$1\" ] || T=c\nhit $T\nhit {d,e}\nhit --ca ~/ca.pem f\nT=$(pwd)\nhit $T\n",
			[]string{
				"2: hit web", "3: hit a", "3: sleep 9s", "3: hit b", "3: sleep 9s",
				"4: lost: that a command runs only if the one before fails", "5: hit c", "6: hit d e",
				"7: hit --ca ~/ca.pem f", "9: hit ?",
			},
		},
		{
			"programs around", "timeout 60 hit a\nDOCKER_HOST=tcp://h:1 hit b\n$BIN/hit c\n" +
				"docker run -d nginx sleep 900\nsudo sleep 9\nhit d\n",
			[]string{
				"1: lost: the program timeout around hit", "1: hit a",
				"2: lost: the variable DOCKER_HOST for one command", "2: hit b", "3: hit c",
				"4: lost: the program docker", "5: sleep 9s", "6: hit d",
			},
		},
		{
			"commands that name it", "docker pull gaiaadm/hit:1\ndocker rm -f hit\ncommand -v hit || exit 1\n" +
				"sudo apt-get install hit\npodman run --name hit gaiaadm/hit:1 a\n",
			[]string{
				"1: lost: the program docker", "2: lost: the program docker", "3: lost: the program command",
				"4: lost: the program sudo", "5: hit a",
			},
		},
		{
			"functions that others call", "cleanup() { hit a; }\nslow() { hit b; }\nnever() { hit c; }\n" +
				"trap 'cleanup; exit' EXIT\necho usage: never\nls | xargs -n1 slow\nhit d\n",
			[]string{
				"6: lost: the program ls", "6: lost: the program xargs", "7: hit d",
				"1: lost: when the function cleanup is called: only the shell knows; its commands come last",
				"1: hit a",
				"2: lost: when the function slow is called: only the shell knows; its commands come last",
				"2: hit b", "3: lost: the function never: nothing calls it",
			},
		},
		{
			"a function by a variable", "slow() { hit b; }\nlose() { hit a; }\n\"$1\"\n",
			[]string{
				"3: lost: a program whose name only the shell knows",
				"1: lost: when the function slow is called: only the shell knows; its commands come last",
				"1: hit b",
				"2: lost: when the function lose is called: only the shell knows; its commands come last",
				"2: hit a",
			},
		},
		{
			"arguments of functions", "lose() { set -e; hit \"$1\"; hit ${2:-own}; }\nlose web\nlose db \"a b\"\n" +
				"all() { shift; hit \"$@\"; hit $X; }\nall off x y\nall $FLAGS\n",
			[]string{
				"1: hit web", "1: hit own", "1: hit db", "1: hit a b", "4: hit x y", "4: hit ?", "4: hit ?",
				"4: hit ?",
			},
		},
		{
			"a sleep of 0", "sleep 0\nhit a\nsleep 0s\n",
			[]string{"1: sleep 0s", "2: hit a", "3: sleep 0s"},
		},
		{
			"pauses between commands", "hit web\nsleep 1m 5\nsleep $N\nkubectl delete pod a\n$IT\necho done\n",
			[]string{
				"1: hit web", "2: sleep 1m5s", "3: lost: a pause whose time only the shell knows",
				"4: lost: the program kubectl", "5: lost: a program whose name only the shell knows",
			},
		},
		{"a loop without an end", "f() { hit a; f; }\nwhile :; do f; done\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			all, err := shell.Read(&draft.Builder{O: draft.Options{File: "source"}}, []byte(c.source),
				shell.Dialect{Programs: []string{"hit", "wait", "sleep"}})
			if err != nil {
				t.Fatal(err)
			}
			have := lines(all, "")
			if c.want == nil {
				if n := strings.Count(have, "hit a\n"); n < 2 || n > 5000 || !strings.Contains(have, "there are too many") {
					t.Errorf("%d commands:\n%.600s", n, have)
				}
				return
			}
			if want := strings.Join(c.want, "\n") + "\n"; have != want {
				t.Errorf("has\n%s\nwant\n%s", have, want)
			}
		})
	}
}
