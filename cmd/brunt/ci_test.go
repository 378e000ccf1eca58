package main

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"brunt/scenarios/suite"

	"github.com/goccy/go-yaml"
)

// A ciHost runs what a job does, with the variables that a host of CI sets. What it has in PATH is this program as
// brunt, which a release in releases installs.
type ciHost struct {
	t        *testing.T
	dir      string // the checkout, with good.yaml and bad.yaml
	releases string // a URL
	env      map[string]string
	inputs   map[string]string
	outputs  map[string]string // steps.ID.outputs.NAME
	failed   bool
	used     []string // the other actions, in their order
}

const ciVersion = "v1.2.3"

// newHost makes a checkout with two scenarios, one of which fails, and a release.
func newHost(t *testing.T) *ciHost {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the jobs run on Linux here")
	}
	suite.Needs(t, suite.Programs("bash", "curl", "sha256sum", "tar"))
	h := &ciHost{
		t: t, dir: t.TempDir(), env: map[string]string{}, inputs: map[string]string{}, outputs: map[string]string{},
	}
	url := filepath.Join(t.TempDir(), "url")
	server := exec.Command("server", url)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	suite.Until(t, "the server listens", func() bool { _, err := os.Stat(url); return err == nil })
	scenario := func(name, path string) {
		h.write(name, fmt.Sprintf(`version: 1
name: ci
target: {url: %q}
load: {main: {executor: constant-arrival-rate, rate: 300/s, duration: 1s, flow: [{get: %s}]}}
slo: [errors < 10%%]
`, read(t, url), path))
	}
	scenario("good.yaml", "/")
	scenario("bad.yaml", "/fail")
	h.release()
	return h
}

// release makes the archive of this system, whose brunt is this program, as .ci/release names it.
func (h *ciHost) release() {
	brunt, err := exec.LookPath("brunt")
	if err != nil {
		h.t.Fatal(err)
	}
	dir := h.t.TempDir()
	name := "brunt_" + strings.TrimPrefix(ciVersion, "v") + "_linux_" + runtime.GOARCH
	for path, text := range map[string]string{
		filepath.Join(dir, "src", name, "brunt"): "#!/bin/sh\nexec '" + brunt + "' \"$@\"\n",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			h.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			h.t.Fatal(err)
		}
	}
	at := filepath.Join(dir, ciVersion)
	if err := os.Mkdir(at, 0o755); err != nil {
		h.t.Fatal(err)
	}
	file := filepath.Join(at, name+".tar.gz")
	if out, err := exec.Command("tar", "-C", filepath.Join(dir, "src"), "-czf", file, name).CombinedOutput(); err != nil {
		h.t.Fatalf("%v\n%s", err, out)
	}
	sum := fmt.Sprintf("%x  %s.tar.gz\n", sha256.Sum256([]byte(read(h.t, file))), name)
	if err := os.WriteFile(filepath.Join(at, "SHA256SUMS"), []byte(sum), 0o644); err != nil {
		h.t.Fatal(err)
	}
	h.releases = "file://" + dir
}

func (h *ciHost) write(name, text string) {
	if err := os.WriteFile(filepath.Join(h.dir, name), []byte(text), 0o644); err != nil {
		h.t.Fatal(err)
	}
}

// sh runs lines of a shell in the checkout, and returns the exit code and what they print.
func (h *ciHost) sh(shell, lines string, more map[string]string) (int, string) {
	c := exec.Command(shell, "-e", "-c", lines)
	c.Dir = h.dir
	c.Env = append(os.Environ(), "BRUNT_STATE="+filepath.Join(h.dir, ".state"))
	for _, env := range []map[string]string{h.env, more} {
		for _, k := range slices.Sorted(maps.Keys(env)) {
			c.Env = append(c.Env, k+"="+env[k])
		}
	}
	out, err := c.CombinedOutput()
	if c.ProcessState == nil {
		h.t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), string(out)
}

// want checks that files of the checkout exist and hold a text.
func (h *ciHost) want(texts map[string]string) {
	h.t.Helper()
	for name, text := range texts {
		b, err := os.ReadFile(filepath.Join(h.dir, name))
		if err != nil || !strings.Contains(string(b), text) {
			h.t.Errorf("%s has no %q (%v)\n%.2000s", name, text, err, b)
		}
	}
}

// expression evaluates an expression of GitHub Actions, of the kinds that action.yml has. A text that is not empty is
// true.
func (h *ciHost) expression(s string) string {
	truth := func(b bool) string { return map[bool]string{true: "true"}[b] }
	s = strings.TrimSpace(s)
	if a, b, ok := strings.Cut(s, " || "); ok {
		if v := h.expression(a); v != "" {
			return v
		}
		return h.expression(b)
	}
	if a, b, ok := strings.Cut(s, " && "); ok {
		if h.expression(a) == "" {
			return ""
		}
		return h.expression(b)
	}
	if a, b, ok := strings.Cut(s, " != "); ok {
		return truth(h.expression(a) != h.expression(b))
	}
	if s == "always()" {
		return "true"
	}
	if args, ok := strings.CutPrefix(s, "format("); ok {
		all := strings.Split(strings.TrimSuffix(args, ")"), ", ")
		out := h.expression(all[0])
		for i, a := range all[1:] {
			out = strings.ReplaceAll(out, fmt.Sprintf("{%d}", i), h.expression(a))
		}
		return out
	}
	if len(s) > 1 && s[0] == '\'' && s[len(s)-1] == '\'' {
		return s[1 : len(s)-1]
	}
	for _, known := range []map[string]string{h.inputs, h.outputs} {
		if v, ok := known[s]; ok {
			return v
		}
	}
	if !strings.HasPrefix(s, "steps.") { // of a step that was not reached
		h.t.Errorf("GitHub has no %q here", s)
	}
	return ""
}

var ciExpression = regexp.MustCompile(`\$\{\{(.*?)\}\}`)

func (h *ciHost) filled(s string) string {
	return ciExpression.ReplaceAllStringFunc(s,
		func(m string) string { return h.expression(ciExpression.FindStringSubmatch(m)[1]) })
}

// ciAction is an action.yml.
type ciAction struct {
	Name, Description string
	Inputs            map[string]struct {
		Description string
		Required    bool
		Default     string
	}
	Outputs map[string]struct{ Description, Value string }
	Runs    struct {
		Using string
		Steps []struct {
			ID, Name, If, Uses, Shell, Run string
			Env, With                      map[string]string
		}
	}
}

// action runs the composite action as a step with inputs; code is what the step ends with.
func (h *ciHost) action(with map[string]string) (code int, said string) {
	h.t.Helper()
	var a ciAction
	folder, err := filepath.Abs(filepath.Join(top, ".github", "actions", "brunt"))
	if err != nil {
		h.t.Fatal(err)
	}
	if err := yaml.UnmarshalWithOptions([]byte(read(h.t, filepath.Join(folder, "action.yml"))), &a,
		yaml.Strict()); err != nil {
		h.t.Fatal(err)
	}
	temp := h.t.TempDir()
	arch := map[string]string{"amd64": "X64", "arm64": "ARM64"}[runtime.GOARCH]
	h.env = map[string]string{
		"RUNNER_OS": "Linux", "RUNNER_ARCH": arch, "RUNNER_TEMP": temp, "GITHUB_ACTION_PATH": folder,
		"GITHUB_SHA": "0123456789abcdef", "GITHUB_ACTIONS": "true",
		"GITHUB_PATH": filepath.Join(temp, "path"), "GITHUB_OUTPUT": filepath.Join(temp, "output"),
		"GITHUB_STEP_SUMMARY": filepath.Join(h.dir, "step-summary"),
	}
	h.inputs = map[string]string{
		"github.action_ref": ciVersion, "github.server_url": "https://github.com", "github.action_repository": "shop/brunt",
		"github.run_id": "77", "github.run_attempt": "1",
	}
	for name, in := range a.Inputs {
		v, given := with[name]
		if !given {
			v = in.Default
		}
		if in.Required && !given || in.Description == "" {
			h.t.Errorf("input %s: %+v", name, in)
		}
		h.inputs["inputs."+name] = v
	}
	for _, s := range a.Runs.Steps {
		condition := s.If
		if !strings.Contains(condition, "always()") && h.failed || condition != "" && h.expression(condition) == "" {
			continue
		}
		if s.Uses != "" {
			var used strings.Builder
			used.WriteString(s.Uses)
			for _, k := range slices.Sorted(maps.Keys(s.With)) {
				used.WriteString(" " + k + "=" + strings.TrimSpace(h.filled(s.With[k])))
			}
			h.used = append(h.used, used.String())
			continue
		}
		env := map[string]string{}
		for k, v := range s.Env {
			env[k] = h.filled(v)
		}
		if b, err := os.ReadFile(h.env["GITHUB_PATH"]); err == nil {
			env["PATH"] = strings.TrimSpace(string(b)) + ":" + os.Getenv("PATH")
		}
		got, out := h.sh(s.Shell, s.Run, env)
		said += out
		if got != 0 {
			code, h.failed = got, true
		}
		if b, err := os.ReadFile(h.env["GITHUB_OUTPUT"]); err == nil && s.ID != "" {
			for line := range strings.Lines(string(b)) {
				k, v, _ := strings.Cut(strings.TrimSpace(line), "=")
				h.outputs["steps."+s.ID+".outputs."+k] = v
			}
		}
	}
	for _, o := range a.Outputs {
		h.filled(o.Value)
	}
	return code, said
}

// TestCI_Action runs the action as GitHub does: a run, one that fails, a gate with its cache, and a release that is not
// what it says.
func TestCI_Action(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, tamper string
		with         map[string]string
		code         int
		files        map[string]string
		used         []string // in this order
	}{
		{
			name: "run", with: map[string]string{"scenario": "good.yaml"},
			files: map[string]string{
				"step-summary": "Pass: ci", "brunt-results/junit.xml": `failures="0"`,
				"brunt-results/report.html": "</html>",
			},
			used: []string{"actions/upload-artifact@v4 if-no-files-found=warn name=brunt path=brunt-results"},
		},
		{
			name: "a failed objective", with: map[string]string{"scenario": "bad.yaml", "output": "out", "artifact": "bad"},
			code:  3,
			files: map[string]string{"step-summary": "Fail: ci", "out/junit.xml": "<failure"},
			used:  []string{"actions/upload-artifact@v4 if-no-files-found=warn name=bad path=out"},
		},
		{
			name: "gate",
			with: map[string]string{"scenario": "good.yaml", "history": ".history", "args": "--runs=1\n\n--confirm=1\n"},
			files: map[string]string{
				"step-summary": "ci", "brunt-results/gate.html": "</html>",
				"brunt-results/junit.xml": "<testsuite",
			},
			used: []string{
				"actions/cache/restore@v4 key=brunt-good.yaml-77-1 path=.history restore-keys=brunt-good.yaml-",
				"actions/cache/save@v4 key=brunt-good.yaml-77-1 path=.history",
				"actions/upload-artifact@v4 if-no-files-found=warn name=brunt path=brunt-results",
			},
		},
		{
			name: "another archive", tamper: "yes", with: map[string]string{"scenario": "good.yaml"}, code: 1,
			used: []string{"actions/upload-artifact@v4 if-no-files-found=warn name=brunt path=brunt-results"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			tt.with["url"] = h.releases
			if tt.tamper != "" {
				sums := filepath.Join(strings.TrimPrefix(h.releases, "file://"), ciVersion, "SHA256SUMS")
				if err := os.WriteFile(sums, []byte(strings.Repeat("0", 64)+read(t, sums)[64:]), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			code, said := h.action(tt.with)
			if code != tt.code || !slices.Equal(h.used, tt.used) {
				t.Errorf("exit code %d, want %d; used %q\n%s", code, tt.code, h.used, said)
			}
			h.want(tt.files)
			if tt.tamper != "" && !strings.Contains(said, "::error::the checksum of") {
				t.Error(said)
			}
			if tt.tamper == "" && h.outputs["steps.brunt.outputs.exit-code"] != fmt.Sprint(code) {
				t.Errorf("outputs %v", h.outputs)
			}
		})
	}
}

// TestCI_Workflow checks that the example's workflow gives the action inputs that it has.
func TestCI_Workflow(t *testing.T) {
	var w struct {
		Jobs map[string]struct {
			Steps []struct {
				Uses string
				With map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, filepath.Join(top, "examples", "ci", "github.yaml"))), &w); err != nil {
		t.Fatal(err)
	}
	var a ciAction
	if err := yaml.Unmarshal([]byte(read(t, filepath.Join(top, ".github", "actions", "brunt", "action.yml"))),
		&a); err != nil {
		t.Fatal(err)
	}
	found := false
	for _, s := range w.Jobs["brunt"].Steps {
		if !strings.Contains(s.Uses, "/.github/actions/brunt@v") {
			continue
		}
		found = true
		for k := range s.With {
			if _, ok := a.Inputs[k]; !ok {
				t.Errorf("the action has no input %s", k)
			}
		}
	}
	if !found {
		t.Error("the workflow does not use the action")
	}
}

// TestCI_GitLab runs the job of the component as GitLab does, as a run and as a gate.
func TestCI_GitLab(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	_, job, ok := strings.Cut(read(t, filepath.Join(top, "examples", "ci", "gitlab", "templates", "brunt.yml")), "\n---\n")
	if !ok {
		t.Fatal("the component has no spec")
	}
	for _, tt := range []struct {
		inputs map[string]string
		code   int
		files  map[string]string
	}{
		{
			map[string]string{"scenario": "bad.yaml", "gate": "false"},
			3,
			map[string]string{"brunt-results/junit.xml": "<failure"},
		},
		{
			map[string]string{"scenario": "good.yaml", "gate": "true", "args": "--runs=1"},
			0,
			map[string]string{"brunt-results/junit.xml": "<testsuite", "brunt-summary.markdown": "ci"},
		},
	} {
		filled := regexp.MustCompile(`\$\[\[ inputs\.(\w+) \]\]`).ReplaceAllStringFunc(job, func(m string) string {
			name := strings.Fields(m)[1][len("inputs."):]
			all := map[string]string{
				"job": "brunt", "stage": "test", "image": "debian", "url": h.releases, "version": ciVersion, "args": "",
			}
			maps.Copy(all, tt.inputs)
			v, ok := all[name]
			if !ok {
				t.Errorf("no input %s", name)
			}
			return v
		})
		var jobs map[string]struct {
			Variables map[string]string
			Before    []string `yaml:"before_script"`
			Script    []string
			Artifacts struct {
				Reports struct{ Junit string }
			}
		}
		if err := yaml.Unmarshal([]byte(filled), &jobs); err != nil {
			t.Fatal(err)
		}
		j := jobs["brunt"]
		h.env = map[string]string{"CI_COMMIT_SHA": "0123456789abcdef", "GITLAB_CI": "true", "GITHUB_STEP_SUMMARY": ""}
		if err := os.RemoveAll(filepath.Join(h.dir, "brunt-results")); err != nil {
			t.Fatal(err)
		}
		code, said := h.sh("bash", strings.Join(append(j.Before, j.Script...), "\n"), j.Variables)
		if code != tt.code || j.Artifacts.Reports.Junit != "brunt-results/junit.xml" {
			t.Errorf("exit code %d, want %d; %+v\n%s", code, tt.code, j, said)
		}
		h.want(tt.files)
	}
}

// TestCI_Jenkins runs the steps of the Jenkinsfile as an agent does.
func TestCI_Jenkins(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	text := read(t, filepath.Join(top, "examples", "ci", "Jenkinsfile"))
	steps := regexp.MustCompile(`(?s)sh '''(.*?)'''`).FindAllStringSubmatch(text, -1)
	if len(steps) != 1 {
		t.Fatalf("%d steps", len(steps))
	}
	for _, tt := range []struct {
		scenario, history, page string
		code                    int
	}{
		{"bad.yaml", "", "report.html", 3},
		{"good.yaml", ".history", "gate.html", 0},
	} {
		h.env = map[string]string{
			"SCENARIO": tt.scenario, "HISTORY": tt.history, "GIT_COMMIT": "0123456789abcdef", "GITHUB_STEP_SUMMARY": "",
		}
		code, said := h.sh("sh", steps[0][1], nil)
		if code != tt.code || !strings.Contains(text, "'"+tt.page+"'") {
			t.Errorf("exit code %d, want %d\n%s", code, tt.code, said)
		}
		h.want(map[string]string{"brunt-results/junit.xml": "<testsuite", "brunt-results/" + tt.page: "</html>"})
	}
	if strings.Count(text, "{") != strings.Count(text, "}") || strings.Count(text, "(") != strings.Count(text, ")") {
		t.Error("the brackets of the Jenkinsfile do not match")
	}
}

// plainScenario puts load on a server of the test.
const plainScenario = `version: 1
name: plain
params: {url: "http://127.0.0.1:1", lasts: 1s}
target: {url: "${url}"}
load: {main: {executor: constant-arrival-rate, rate: 50/s, duration: "${lasts}", flow: [{get: /}]}}
slo: [errors < 50%]
`

// TestCI_PreCommit starts the hooks as pre-commit does: with the files of a commit that the hook's pattern matches.
func TestCI_PreCommit(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(top, ".pre-commit-hooks.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var hooks []struct{ ID, Name, Entry, Language, Files string }
	if err := yaml.Unmarshal(text, &hooks); err != nil || len(hooks) != 2 {
		t.Fatalf("%d hooks, %v", len(hooks), err)
	}
	dir := t.TempDir()
	committed := map[string]string{
		"README.md": "no scenario", "deploy/values.yaml": "a: 1",
		"load/scenario.yaml": plainScenario, "scenario.yml": plainScenario + "sol: []\n",
	}
	for name, text := range committed {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, h := range hooks {
		if h.ID == "" || h.Name == "" || h.Language != "golang" && h.Language != "system" {
			t.Errorf("%+v", h)
		}
		files := regexp.MustCompile(h.Files)
		args := strings.Fields(h.Entry)
		for _, name := range slices.Sorted(maps.Keys(committed)) {
			if files.MatchString(name) {
				args = append(args, name)
			}
		}
		if want := h.Entry + " load/scenario.yaml scenario.yml"; strings.Join(args, " ") != want {
			t.Fatalf("%s starts %s, want %s", h.ID, strings.Join(args, " "), want)
		}
		for _, c := range []struct {
			files []string
			code  int
			want  string
		}{
			{args[len(args)-2:], 2, `scenario.yml:7:1: unknown key "sol"; did you mean "slo"?`},
			{args[len(args)-2 : len(args)-1], 0, "load/scenario.yaml: ok"},
		} {
			hook := exec.Command(args[0], append(strings.Fields(h.Entry)[1:], c.files...)...)
			hook.Dir = dir
			out, _ := hook.CombinedOutput()
			if code := hook.ProcessState.ExitCode(); code != c.code || !strings.Contains(string(out), c.want) {
				t.Errorf("%s %s: exit code %d: %s", h.ID, c.files, code, out)
			}
		}
	}
}

// TestCI_CronJob reads the manifest of a scheduled run: brunt knows the command line and the scenario, and every volume
// and object that the job names is in the file.
func TestCI_CronJob(t *testing.T) {
	dir := t.TempDir()
	var args []string
	mounts, volumes, kinds := map[string]string{}, map[string]bool{}, map[string]bool{}
	for text := range strings.SplitSeq(read(t, filepath.Join(top, "examples", "ci", "cronjob.yaml")), "\n---\n") {
		var in struct {
			Kind     string
			Metadata struct{ Name string }
			Data     map[string]string
			Spec     struct {
				JobTemplate struct {
					Spec struct {
						Template struct {
							Spec struct {
								ServiceAccountName string `yaml:"serviceAccountName"`
								Containers         []struct {
									Args         []string
									VolumeMounts []struct {
										Name      string
										MountPath string `yaml:"mountPath"`
									} `yaml:"volumeMounts"`
								}
								Volumes []struct {
									Name                  string
									ConfigMap             struct{ Name string } `yaml:"configMap"`
									PersistentVolumeClaim struct {
										ClaimName string `yaml:"claimName"`
									} `yaml:"persistentVolumeClaim"`
								}
							}
						}
					}
				} `yaml:"jobTemplate"`
			}
		}
		if err := yaml.Unmarshal([]byte(text), &in); err != nil {
			t.Fatal(err)
		}
		kinds[in.Kind+" "+in.Metadata.Name] = true
		for name, text := range in.Data {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		pod := in.Spec.JobTemplate.Spec.Template.Spec
		for _, v := range pod.Volumes {
			volumes[v.Name] = true
			for kind, name := range map[string]string{
				"ConfigMap": v.ConfigMap.Name, "PersistentVolumeClaim": v.PersistentVolumeClaim.ClaimName,
				"ServiceAccount": pod.ServiceAccountName,
			} {
				if name != "" && !kinds[kind+" "+name] {
					t.Errorf("there is no %s %s", kind, name)
				}
			}
		}
		for _, c := range pod.Containers {
			args = c.Args
			for _, m := range c.VolumeMounts {
				mounts[m.Name] = m.MountPath
			}
		}
	}
	if len(args) < 2 || len(mounts) != len(volumes) {
		t.Fatalf("args %q, mounts %v, volumes %v", args, mounts, volumes)
	}
	for name := range mounts {
		if !volumes[name] {
			t.Errorf("there is no volume %s", name)
		}
	}
	c, rest, err := rootCommand().Find(args)
	if err == nil {
		err = c.ParseFlags(rest)
	}
	if err == nil {
		err = c.ValidateArgs(c.Flags().Args())
	}
	if err != nil {
		t.Errorf("brunt %s: %v", strings.Join(args, " "), err)
	}
	if file := strings.TrimPrefix(args[1], mounts["scenario"]); file == args[1] {
		t.Errorf("%s is not in %s", args[1], mounts["scenario"])
	} else if _, err := compile(filepath.Join(dir, file), nil); err != nil {
		t.Error(err)
	}
}
