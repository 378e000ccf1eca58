package run_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"brunt/reporters/catalog"
	"brunt/reporters/ci"
	"brunt/reporters/evidence"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/slo"
)

// vegetaCommand builds vegeta's own command.
func vegetaCommand(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds vegeta")
	}
	path := filepath.Join(t.TempDir(), "vegeta")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	cmd := exec.Command("go", "build", "-C", "../../.ci/vegeta", "-o", path, "github.com/tsenart/vegeta/v12")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building vegeta: %v\n%s", err, out)
	}
	return path
}

// keeping runs a scenario that logs its requests, and returns its result as read back.
func keeping(t *testing.T, text string) *result.Result {
	t.Helper()
	dir := t.TempDir()
	told := 0
	res := runOnce(t, text, run.Options{
		Requests: filepath.Join(dir, evidence.RequestsFile),
		Each:     func(b result.RequestBatch) { told += len(b.List) },
	})
	if told != 700 { // as many as the file holds
		t.Errorf("%d requests were passed on during the run", told)
	}
	if err := catalog.All().Write(dir, res); err != nil {
		t.Fatal(err)
	}
	back, err := evidence.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return back
}

// TestVegeta_Report: `vegeta report` and `vegeta plot` read the request logs of both engines and
// find the same counts. So does the import.
func TestVegeta_Report(t *testing.T) {
	vegeta := vegetaCommand(t)
	s := newServer(t, "serve")
	for _, engine := range []string{"native", "vegeta"} {
		t.Run(engine, func(t *testing.T) {
			res := keeping(t, fmt.Sprintf(`
version: 1
name: for vegeta
target: {url: "http://%s"}
warmup: {for: 500ms}
load:
  main: {engine: %s, executor: constant-arrival-rate, rate: 300/s, duration: 2s, timeout: 5s, flow: [{get: "/${int(1,9)}"}]}
  gone: {engine: %s, executor: constant-arrival-rate, rate: 50/s, duration: 2s, flow: [{get: "http://127.0.0.1:1/x"}]}
`, s.addr, engine, engine))
			run, ok := cellOf(res, "run", "*"), cellOf(res, "run", "ok")
			if run.Count != 700 || ok.Count != 600 {
				t.Fatalf("%d requests, %d of them ok", run.Count, ok.Count)
			}
			for _, encoding := range []string{"gob", "csv", "json"} {
				file := filepath.Join(t.TempDir(), encoding)
				var b bytes.Buffer
				if err := (ci.Vegeta{Encoding: encoding}).Report(&b, res); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
				checkVegeta(t, vegeta, file, ok)
				checkImport(t, file)
			}
		})
	}
}

// checkVegeta has vegeta read a file of 600 good requests and 100 refused ones.
func checkVegeta(t *testing.T, vegeta, file string, ok result.Cell) {
	t.Helper()
	out, err := exec.Command(vegeta, "report", "-type", "json", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Requests int64            `json:"requests"`
		Success  float64          `json:"success"`
		Codes    map[string]int64 `json:"status_codes"`
		Errors   []string         `json:"errors"`
		Latency  map[string]int64 `json:"latencies"`
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if got.Requests != 700 || got.Codes["200"] != 600 || got.Codes["0"] != 100 ||
		!slices.Equal(got.Errors, []string{"refused"}) {
		t.Errorf("vegeta reads %s", out)
	}
	if slowest := float64(got.Latency["max"]) / 1e9; slowest < .99*float64(ok.Response.Max) {
		t.Errorf("the slowest took %g s, and vegeta reads %g s", ok.Response.Max, slowest)
	}
	if out, err = exec.Command(vegeta, "plot", file).Output(); err != nil || !bytes.Contains(out, []byte("main: OK")) ||
		!bytes.Contains(out, []byte("gone: ERROR")) {
		t.Errorf("vegeta plots %d bytes: %v", len(out), err)
	}
}

// checkImport imports that file.
func checkImport(t *testing.T, file string) {
	t.Helper()
	res := imported(t, file, "p95 < 10s of load main", "errors > 10%", `errors < 1% of "GET /x"`)
	run, ok, bad := cellOf(res, "run", "*"), cellOf(res, "run", "ok"), loadCell(res, "run", "gone", "error")
	if run.Count != 700 || ok.Count != 600 || bad.Count != 100 || res.Imported == "" || !res.Loads[0].Closed {
		t.Errorf("%d imported, %d ok, %d errors: %+v", run.Count, ok.Count, bad.Count, res.Loads)
	}
	if len(res.Errors) != 1 || res.Errors[0].Kind != "refused" {
		t.Errorf("errors: %+v", res.Errors)
	}
	var verdicts []string
	for _, o := range res.Objectives {
		verdicts = append(verdicts, string(o.Verdict))
	}
	if strings.Join(verdicts, " ") != "pass pass fail" || res.ExitCode != scenarios.Fail.ExitCode() {
		t.Errorf("%v, exit %d", verdicts, res.ExitCode)
	}
}

func imported(t *testing.T, file string, objectives ...string) *result.Result {
	t.Helper()
	o := run.Importing{Name: "x", From: file, Open: func() (io.ReadCloser, error) { return os.Open(file) }}
	for _, text := range objectives {
		objective, err := slo.ParseObjective(text)
		if err != nil {
			t.Fatal(err)
		}
		o.SLO = append(o.SLO, objective)
	}
	res, err := run.ImportVegeta(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// TestImportVegeta reads the formats of vegeta, and reports files that are not results.
func TestImportVegeta(t *testing.T) {
	const line = `{"attack":"a","seq":%d,"code":%d,"timestamp":"2026-11-20T12:00:%02dZ","latency":%d,"bytes_out":0,"bytes_in":5,` +
		`"error":%q,"body":null,"method":"GET","url":"http://x/y/%d","headers":null}` +
		"\n"
	var b strings.Builder
	for i := range 40 { // out of order
		code, why := 200, ""
		switch i {
		case 3:
			code, why = 503, "503 Service Unavailable"
		case 4:
			code, why = 0, `Get "http://x/y/4": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`
		case 5:
			why = "unexpected EOF"
		}
		fmt.Fprintf(&b, line, i, code, (i*7)%40, (i+1)*1_000_000, why, i)
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	res := imported(t, write("whole", b.String()))
	started := cellOf(res, "run", "*")
	if started.Count != 40 || cellOf(res, "run", "error").Count != 3 || res.Duration < 39 || res.Duration > 40 ||
		float64(cellOf(res, "run", "ok").Response.Max) < .0399 {
		t.Errorf("%+v over %v s", started, res.Duration)
	}
	var kinds []string
	for _, e := range res.Errors {
		kinds = append(kinds, e.Kind)
	}
	slices.Sort(kinds)
	if !slices.Equal(kinds, []string{"closed", "status 503", "timeout"}) ||
		!slices.Equal(res.Loads[0].Steps, []string{"GET /y/:id"}) {
		t.Errorf("%q of %q", kinds, res.Loads[0].Steps)
	}
	cut := imported(t, write("cut", b.String()[:b.Len()-20]))
	if n := cellOf(cut, "run", "*").Count; n != 39 {
		t.Errorf("%d of a file that was cut", n)
	}
	for name, text := range map[string]string{"empty": "", "of something else": "version: 1\n"} {
		path := write(name, text)
		if _, err := run.ImportVegeta(t.Context(),
			run.Importing{From: path, Open: func() (io.ReadCloser, error) { return os.Open(path) }}); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}
