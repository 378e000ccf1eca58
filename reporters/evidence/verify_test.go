package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/reporters"
	"brunt/reporters/reporterstest"
	"brunt/scenarios/result"
	"brunt/scenarios/suite"
)

// finishedRun creates the folder of a finished run with its manifest.
func finishedRun(t *testing.T, by *Signer) string {
	t.Helper()
	dir := t.TempDir()
	once.Do(func() { madeOnce = made(t) })
	for name, text := range madeOnce {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := WriteManifest(dir, by); err != nil {
		t.Fatal(err)
	}
	return dir
}

var (
	once     sync.Once
	madeOnce map[string]string
)

// made returns the files of a run, with logs of hostile names.
func made(t *testing.T) map[string]string {
	dir := t.TempDir()
	r := reporterstest.Results()["minute"]
	for i := range 5 {
		r.Events = append(r.Events, result.Event{T: result.Num(60 + i), Event: "run.note", Text: reporterstest.Hostile})
	}
	r.Events = append(r.Events, result.Event{T: 66, Event: "run.end"})
	if err := writeAll(dir, r); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, name := range []string{resultFile, hlogFile, eventsFile, scenarioFile, "junit.xml", "report.html"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(text)
	}
	names := []string{"logs/posts-0.log"}
	if runtime.GOOS != "windows" {
		names = append(names, "logs/a  b '\"$(x)", "logs/a\\b\nc\rd", "logs/  *", "\u202e", "-rf")
	}
	for _, name := range names {
		out[name] = "the log of " + name + "\n"
	}
	out["logs/deep/empty"] = ""
	return out
}

// writeEvidence writes the files from which others are drawn.
func writeEvidence(dir string, r *result.Result) error {
	return reporters.WriteFiles(dir, r, []reporters.Reporter{JSON{}, Hlog{}, Events{}, Scenario{}})
}

// writeAll writes the evidence and stand-ins for the files drawn from it.
func writeAll(dir string, r *result.Result) error {
	return errors.Join(
		writeEvidence(dir, r),
		os.WriteFile(filepath.Join(dir, "junit.xml"), []byte("<testsuites/>\n"), 0o644),
		os.WriteFile(filepath.Join(dir, "report.html"), []byte("<!doctype html>\n"), 0o644),
	)
}

func isDerived(file string) bool {
	return file == scenarioFile || file == "junit.xml" || file == "report.html"
}

// findings returns the findings of Verify, one line each.
func findings(t *testing.T, dir string, by *Signers) []string {
	t.Helper()
	v, err := Verify(dir, by, isDerived)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range v.Findings {
		out = append(out, f.String())
	}
	return out
}

func TestVerify_Unchanged(t *testing.T) {
	dir := finishedRun(t, nil)
	v, err := Verify(dir, nil, isDerived)
	if err != nil || len(v.Findings) > 0 || v.Files < 8 || v.Events == 0 || v.Signed != nil {
		t.Fatalf("%+v, %v", v, err)
	}
	suite.Needs(t, suite.Programs("sha256sum"))
	c := exec.Command("sha256sum", "--check", "--strict", "--quiet", sumsFile)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("sha256sum: %v: %s", err, out)
	}
}

// TestVerify_EveryFlippedByte flips bytes in every file of a signed folder: the first and the
// last, and others at random. Verify must find each one.
func TestVerify_EveryFlippedByte(t *testing.T) {
	key, public := newKey(t)
	signer, err := OpenSigner(key, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	signers, err := ReadSigners(public)
	if err != nil {
		t.Fatal(err)
	}
	dir := finishedRun(t, signer)
	if got := findings(t, dir, signers); got != nil {
		t.Fatal(got)
	}
	random := rand.New(rand.NewPCG(7, 7))
	flips := 0
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil || len(text) == 0 {
			return err
		}
		defer func() { _ = os.WriteFile(path, text, 0o644) }()
		places := []int{0, len(text) - 1, len(text) / 2}
		n := 4
		if name := d.Name(); name == sumsFile || name == signatureFile { // small, and the base of all checks
			n = 120
		}
		for range n {
			places = append(places, random.IntN(len(text)))
		}
		for _, at := range places {
			bad := slices.Clone(text)
			for bad[at] == text[at] {
				bad[at] = byte(random.IntN(256))
				if random.IntN(2) == 0 {
					bad[at] = text[at] ^ 1<<random.IntN(8)
				}
			}
			if err := os.WriteFile(path, bad, 0o644); err != nil {
				return err
			}
			flips++
			for _, by := range []*Signers{signers, nil}[flips%2:][:1] {
				if v, err := Verify(dir, by, isDerived); err != nil || len(v.Findings) == 0 {
					t.Errorf("%s: byte %d, %q for %q, is not found: %+v, %v", d.Name(), at, bad[at], text[at], v, err)
				}
			}
		}
		if err := os.Truncate(path, int64(random.IntN(len(text)))); err != nil {
			return err
		}
		if v, err := Verify(dir, signers, isDerived); err != nil || len(v.Findings) == 0 {
			t.Errorf("%s: cut short, and not found: %+v, %v", d.Name(), v, err)
		}
		return os.WriteFile(path, text, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := findings(t, dir, signers); got != nil || flips < 280 {
		t.Errorf("%d flips; afterwards %q", flips, got)
	}
}

func TestVerify_Tells(t *testing.T) {
	lines := func(dir string) []string {
		b, err := os.ReadFile(eventsPath(dir))
		if err != nil {
			t.Fatal(err)
		}
		l := strings.SplitAfter(string(b), "\n")
		return l[:len(l)-1]
	}
	write := func(dir string, l []string) {
		if err := os.WriteFile(eventsPath(dir), []byte(strings.Join(l, "")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	changed := eventsFile + ": it differs from the manifest"
	for _, c := range []struct {
		name string
		do   func(dir string) error
		want []string
	}{
		{"a line that was changed", func(dir string) error {
			l := lines(dir)
			l[2] = strings.Replace(l[2], `"t":`, `"t":1`, 1)
			write(dir, l)
			return nil
		}, []string{changed, "events.jsonl:4: the chain breaks here: line 3 is not the one"}},
		{"a line that was removed", func(dir string) error {
			write(dir, slices.Delete(lines(dir), 3, 4))
			return nil
		}, []string{changed, "events.jsonl:4: the chain breaks here"}},
		{"the first line removed", func(dir string) error {
			write(dir, lines(dir)[1:])
			return nil
		}, []string{changed, "events.jsonl:1: lines before this one were removed"}},
		{"two lines in another order", func(dir string) error {
			l := lines(dir)
			l[1], l[2] = l[2], l[1]
			write(dir, l)
			return nil
		}, []string{
			changed, "events.jsonl:2: the chain breaks", "events.jsonl:3: the chain breaks",
			"events.jsonl:4: the chain breaks",
		}},
		{"a line put in", func(dir string) error {
			write(dir, slices.Insert(lines(dir), 1, `{"t":1,"event":"run.note"}`+"\n"))
			return nil
		}, []string{changed, "events.jsonl:2: this line is not chained", "events.jsonl:3: the chain breaks"}},
		{"the last line changed", func(dir string) error {
			l := lines(dir)
			l[len(l)-1] = strings.Replace(l[len(l)-1], `"t":`, `"t":1`, 1)
			write(dir, l)
			return nil
		}, []string{changed}},
		{"a torn line", func(dir string) error {
			info, err := os.Stat(eventsPath(dir))
			if err != nil {
				return err
			}
			return os.Truncate(eventsPath(dir), info.Size()-20)
		}, []string{changed, ": this line is torn"}},
		{
			"garbage", func(dir string) error { return os.WriteFile(eventsPath(dir), []byte("\x00\n"), 0o644) },
			[]string{changed, "events.jsonl:1: this line is not an event"},
		},
		{
			"a missing file", func(dir string) error { return os.Remove(filepath.Join(dir, hlogFile)) },
			[]string{"latency.hlog: it is missing"},
		},
		{
			"another file", func(dir string) error { return os.WriteFile(filepath.Join(dir, "logs", "new"), nil, 0o644) },
			[]string{"logs/new: the manifest does not list it"},
		},
		{
			"a hidden file", func(dir string) error { return os.WriteFile(filepath.Join(dir, ".x"), nil, 0o644) },
			[]string{".x: the manifest does not list it"},
		},
		{"a file that was renamed", func(dir string) error {
			return os.Rename(filepath.Join(dir, "logs", "posts-0.log"), filepath.Join(dir, "logs", "posts-1.log"))
		}, []string{"logs/posts-1.log: the manifest does not list it", "logs/posts-0.log: it is missing"}},
		{"a link in a file's place", func(dir string) error {
			path := filepath.Join(dir, resultFile)
			if err := os.Rename(path, path+".away"); err != nil {
				return err
			}
			return os.Symlink(path+".away", path)
		}, []string{
			"result.json: it is a symbolic link", "result.json.away: the manifest does not list it",
			"result.json: it is missing",
		}},
		{
			"a link to a folder", func(dir string) error { return os.Symlink("/", filepath.Join(dir, "root")) },
			[]string{"root: it is a symbolic link"},
		},
		{"sums that are a link", func(dir string) error {
			path := filepath.Join(dir, sumsFile)
			if err := os.Rename(path, filepath.Join(t.TempDir(), sumsFile)); err != nil {
				return err
			}
			return os.Symlink("/dev/null", path)
		}, []string{"SHA256SUMS: it is a symbolic link", "SHA256SUMS: it is missing"}},
		{
			"no sums", func(dir string) error { return os.Remove(filepath.Join(dir, sumsFile)) },
			[]string{"SHA256SUMS: it is missing: the run did not come to its end"},
		},
		{
			"empty sums", func(dir string) error { return os.WriteFile(filepath.Join(dir, sumsFile), nil, 0o644) },
			[]string{"the manifest does not list it"},
		},
		{"sums of what is elsewhere", func(dir string) error {
			text, err := os.ReadFile(filepath.Join(dir, sumsFile))
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, sumsFile),
				append([]byte(strings.Repeat("a", 64)+"  ../../etc/passwd\n"), text...), 0o644)
		}, []string{"SHA256SUMS:2: this line is out of order", "../../etc/passwd: it is missing"}},
		{"sums without an end", func(dir string) error {
			path := filepath.Join(dir, sumsFile)
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			return os.Truncate(path, info.Size()-1)
		}, []string{"this line is not a sum of a file"}},
		{"a signature of nothing that is known", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, signatureFile), []byte("x"), 0o644)
		}, []string{"SHA256SUMS.sig: it is not a signature"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := finishedRun(t, nil)
			if err := c.do(dir); err != nil {
				if runtime.GOOS == "windows" && strings.Contains(c.name, "link") {
					t.Skip("links need a right on Windows: run as one who has it")
				}
				t.Fatal(err)
			}
			got := findings(t, dir, nil)
			for _, want := range c.want {
				if !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, want) }) {
					t.Errorf("no %q in %q", want, got)
				}
			}
			if c.name != "empty sums" && c.name != "sums without an end" && len(got) != len(c.want) {
				t.Errorf("found %q, want %d", got, len(c.want))
			}
			for _, line := range got {
				if strings.ContainsAny(line, "\n\r\u202e\x1b") {
					t.Errorf("%q is not fit for a terminal", line)
				}
			}
		})
	}
	if _, err := Verify(t.TempDir(), nil, isDerived); err != errNoRun {
		t.Errorf("an empty folder: %v", err)
	}
}

// TestManifest_OddThings checks that a folder with anything but regular files gets no manifest.
func TestManifest_OddThings(t *testing.T) {
	dir := finishedRun(t, nil)
	if err := os.Symlink("/", filepath.Join(dir, "link")); err != nil {
		t.Skipf("no links here: %v", err)
	}
	if err := WriteManifest(dir, nil); err == nil || !strings.Contains(err.Error(), "link: it is a symbolic link") {
		t.Errorf("a folder with a link: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, sumsFile)); err == nil {
		t.Error("sums of another time are left")
	}
}

// TestEventLog checks that the log written during the run is chained, and that the log of a
// killed run shows that it is incomplete.
func TestEventLog(t *testing.T) {
	dir := t.TempDir()
	l, err := OpenEvents(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		l.Add(result.Event{T: result.Num(i), Event: "run.note", At: time.Unix(int64(i), 0), Text: reporterstest.Hostile})
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l.Add(result.Event{Event: "late"})
	if err := l.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	v, err := Verify(dir, nil, isDerived)
	if err != nil || v.Events != 100 || len(v.Findings) != 2 ||
		!strings.Contains(fmt.Sprint(v.Findings), "SHA256SUMS: it is missing") ||
		!strings.Contains(fmt.Sprint(v.Findings), "result.json: it is missing: the run was ended before its verdict") {
		t.Fatalf("%+v, %v", v, err)
	}
	if len(v.Notes) != 1 || !strings.Contains(v.Notes[0], "ends after 100 lines") {
		t.Errorf("%q", v.Notes)
	}
	f, err := os.Open(eventsPath(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if events, err := readEvents(f); err != nil || len(events) != 100 || events[7].T != 7 ||
		!events[7].At.Equal(time.Unix(7, 0)) {
		t.Errorf("%d events, %v", len(events), err)
	}
	// The chain needs no tool of brunt: each prev is the sum of the line before.
	text, _ := os.ReadFile(eventsPath(dir))
	prev := strings.Repeat("0", 64)
	for i, line := range bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")) {
		var e struct{ Prev string }
		if err := json.Unmarshal(line, &e); err != nil || e.Prev != prev {
			t.Fatalf("line %d: %v, prev %s, want %s", i+1, err, e.Prev, prev)
		}
		prev = hashOf(line)
	}
}

func noEnv(string) string { return "" }

// newKey creates an SSH key and returns the paths of its halves.
func newKey(t *testing.T, more ...string) (private, public string) {
	t.Helper()
	dir := t.TempDir()
	private = filepath.Join(dir, "key")
	if len(more) == 0 {
		key := rand.NewChaCha8([32]byte{1}) // any seed, for a test
		return newEd25519(t, key, private)
	}
	keygen(t, append([]string{"-q", "-f", private, "-C", "ann"}, more...)...)
	return private, private + ".pub"
}

// keygen runs ssh-keygen.
func keygen(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(suite.Program(t, "ssh-keygen", "openssh-client"), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("ssh-keygen %q: %v: %s", args, err, out)
	}
	return string(out)
}
