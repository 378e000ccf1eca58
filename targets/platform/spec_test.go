package platform_test

import (
	"slices"
	"strings"
	"testing"

	"brunt/scenarios/syntax"
	"brunt/scenarios/syntax/syntaxtest"
	"brunt/targets/platform"
	"brunt/targets/targetstest"
)

func TestMistakes(t *testing.T) {
	for _, c := range []struct {
		yaml, entry string
		want        []string
	}{
		{
			`web: {command: [x], links: [stor]}` + "\n" + `store: {command: [x]}`, "web",
			[]string{`links to "stor", which is not a service; did you mean "store"?`},
		},
		{`web: {command: [x], links: [web]}`, "web", []string{"links to itself"}},
		{
			`web: {command: [x, "${link.store.url}"]}`, "web",
			[]string{`"store", which is not a service`, "there is no service"},
		},
		{`web: {command: [x, "${unit.web[1].url}"]}`, "web", []string{"web has 1 replica, counted from 0"}},
		{`web: {command: []}`, "web", []string{"the command is empty"}},
		{`web: {comand: [x]}`, "web", []string{`did you mean "command"?`}},
		{`load: {command: [x]}`, "load", []string{"can't name a service"}},
		{`web: {command: [x], env: {ID: "${uuid()}"}}`, "web", []string{"only while requests are made"}},
		{`web: {command: [x], replicas: 0}`, "web", []string{"`replicas` must be at least 1"}},
		{`web: {command: [x], user: "a b"}`, "web", []string{`"a b" names no user; such as user: nobody`}},
		{`web: {command: [x], user: ":10"}`, "web", []string{`":10" names no user`}},
		{`web: {command: [x], restart: sometimes}`, "web", []string{"`restart` can't be"}},
	} {
		_, err := targetstest.Processes(t, c.yaml, c.entry)
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", c.yaml, err, want)
			}
		}
	}
}

func TestCommandAsALine(t *testing.T) {
	sp, err := targetstest.Processes(t, `web: {command: "./serve  --port ${self.port} --name=x${self.index}y"}`, "web")
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, w := range sp.Services[0].Command {
		words = append(words, w.Text())
	}
	if want := []string{"./serve", "--port", "${self.port}", "--name=x${self.index}y"}; !slices.Equal(words, want) {
		t.Errorf("%q, want %q", words, want)
	}
}

// No shell runs a command that is a line, so that an operator of a shell in it is a mistake.
func TestCommandWithoutAShell(t *testing.T) {
	for _, line := range []string{"cd /x && ./serve", "./serve | tee log", "./serve > log", "./serve &"} {
		_, err := targetstest.Processes(t, "web: {command: \""+line+"\"}", "web")
		if err == nil || !strings.Contains(err.Error(), "no shell runs this command") ||
			!strings.Contains(err.Error(), `[sh, -c, "`+line+`"]`) {
			t.Errorf("%s: %v", line, err)
		}
	}
	if _, err := targetstest.Processes(t, `web: {command: [sh, -c, "cd /x && ./serve > log"]}`, "web"); err != nil {
		t.Error(err)
	}
}

func TestEdges(t *testing.T) {
	sp, err := targetstest.Processes(t, `
web: {command: [x], replicas: 2, links: [store]}
store: {command: [x, "${link.store[0].addr}"], replicas: 2}`, "web")
	if err != nil {
		t.Fatal(err)
	}
	want := []platform.Edge{
		{"web[0]", "store[0]"},
		{"web[0]", "store[1]"},
		{"web[1]", "store[0]"},
		{"web[1]", "store[1]"},
		{"store[0]", "store[1]"},
		{"store[1]", "store[0]"}, // and none to itself
	}
	if got := sp.Edges(); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestDemoSpec(t *testing.T) {
	sp := platform.Kinds()["demo"]().Spec([]string{"brunt", "x"})
	if sp.Entry != "gateway" || sp.Service("posts").Replicas != 2 || len(sp.Service("posts").Links) != 2 {
		t.Errorf("%+v", sp)
	}
	var words []string
	for _, w := range sp.Service("store").Command {
		words = append(words, w.Text())
	}
	if got := strings.Join(words, " "); got != "brunt x demo-service store" {
		t.Errorf("the command is %q", got)
	}
}

// TestSplitTmpfs reads sizes as mount(8) and brunt write them.
func TestSplitTmpfs(t *testing.T) {
	for text, want := range map[string]string{
		"/run": "/run ", "/run:size=64m": "/run size=67108864", "/run:size=1g,mode=1777": "/run size=1073741824,mode=1777",
		"/run:size=64MiB": "/run size=67108864", "/run:size=4096": "/run size=4096", "/a b:size=1k": "/a b size=1024",
	} {
		target, options, err := platform.SplitTmpfs(text)
		if got := target + " " + options; err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", text, got, err, want)
		}
	}
}

// TestVolumes_Mistakes checks the messages for volumes and users of containers that can't be.
func TestVolumes_Mistakes(t *testing.T) {
	for yaml, want := range map[string]string{
		`web: {image: x, volumes: {./x: /y}}`:   `"./x" can't name a volume; a folder of this machine is a mount: mounts: {./x: /y}`,
		`web: {image: x, volumes: {b_d: /y}}`:   `"b_d" can't name a volume: a-z, 0-9 and -`,
		`web: {image: x, volumes: {data: var}}`: `a place in the container begins with /, and "var" does not; such as {data: /var/lib/data}`,
		`web: {image: x, user: "1:2:3"}`:        `"1:2:3" names no user`,
		`web: {image: x, volumes: {data: {target: /x, size: 1MiB}}}` + "\n" + `db: {image: x, volumes: {data: /x}}`: `the volume data has ` +
			`another size at `,
		`web: {image: x, volumes: {data: {size: 1MiB}}}`: `target`,
		`web: {image: x, tmpfs: ["run"]}`: `"run": a place in the container begins with /, and "run" does not; such as tmpfs: ` +
			`["/run:size=64m"]`,
		`web: {image: x, tmpfs: ["/run:size=x"]}`: `"x" is no size`,
		`web: {image: x, tmpfs: ["/run:mode=9"]}`: `"9" is no mode`,
		`web: {image: x, tmpfs: ["/run:exec"]}`:   `there is no option "exec"; there are size and mode`,
	} {
		var m syntax.Mistakes
		platform.Containers(syntaxtest.Parse(t, yaml), "web", &m)
		if err := m.Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", yaml, err, want)
		}
	}
}
