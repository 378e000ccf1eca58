package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"brunt/reporters/reporterstest"
	"brunt/scenarios/result"

	"github.com/HdrHistogram/hdrhistogram-go"
)

func TestRead_Histograms(t *testing.T) {
	r := reporterstest.Results()["minute"]
	dir := t.TempDir()
	if err := writeEvidence(dir, r); err != nil {
		t.Fatal(err)
	}
	again, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	next, stop := pull(again.Histograms)
	defer stop()
	for want := range r.Histograms.All() {
		n++
		got, ok := next()
		if !ok || got.N != want.N || got.Start != want.Start || got.Span != want.Span {
			t.Fatalf("histogram %d: got %d at %v for %v, want at %v for %v", want.N, got.N, got.Start, got.Span, want.Start,
				want.Span)
		}
		same(t, got.HDR, want.HDR)
		one, err := again.Histograms.Get(want.N)
		if err != nil {
			t.Fatal(err)
		}
		same(t, one, want.HDR)
	}
	if n < 60 {
		t.Errorf("only %d histograms", n)
	}
	if h, err := again.Histograms.Get(n + 1); h != nil || err != nil {
		t.Errorf("histogram %d: %v %v", n+1, h, err)
	}
}

func pull(h result.Histograms) (func() (result.HistogramInfo, bool), func()) {
	var list []result.HistogramInfo
	for i := range h.All() {
		list = append(list, i)
	}
	return func() (result.HistogramInfo, bool) {
		if len(list) == 0 {
			return result.HistogramInfo{}, false
		}
		i := list[0]
		list = list[1:]
		return i, true
	}, func() {}
}

func same(t *testing.T, a, b *hdrhistogram.PackedHistogram) {
	t.Helper()
	buckets := func(h *hdrhistogram.PackedHistogram) map[int64]int64 {
		return maps.Collect(h.ForEachBucket)
	}
	if !maps.Equal(buckets(a), buckets(b)) || a.TotalCount() == 0 {
		t.Fatalf("%d values became %d", b.TotalCount(), a.TotalCount())
	}
}

// The library's own reader, which other tools use, must understand the log.
func TestHlog_ReadByTheLibrary(t *testing.T) {
	r := reporterstest.Results()["minute"]
	in := hdrhistogram.NewHistogramLogReader(strings.NewReader(reporterstest.Render(t, Hlog{}, r)))
	n := 0
	for want := range r.Histograms.All() {
		got, err := in.NextIntervalHistogram()
		if err != nil || got == nil {
			t.Fatalf("histogram %d: %v %v", want.N, got, err)
		}
		n++
		if got.Tag() != strconv.Itoa(want.N) || got.TotalCount() != want.HDR.TotalCount() || got.Max() != want.HDR.Max() {
			t.Errorf("histogram %d: tag %s, %d values up to %d", want.N, got.Tag(), got.TotalCount(), got.Max())
		}
		if ms := r.T0.Add(want.Start).UnixMilli(); got.StartTimeMs() < ms-1 || got.StartTimeMs() > ms+1 {
			t.Errorf("histogram %d starts at %d, want %d", want.N, got.StartTimeMs(), ms)
		}
	}
	if n == 0 {
		t.Error("no histogram")
	}
}

func TestRead_Errors(t *testing.T) {
	tests := []struct {
		name   string
		change func(dir string) error
		want   string
		is     error
	}{
		{
			"nothing there", func(dir string) error { return os.Remove(filepath.Join(dir, resultFile)) }, "no such file",
			os.ErrNotExist,
		},
		{
			"newer version", replace(resultFile, `"version": 3`, `"version": 4`),
			"it is version 4, and this brunt reads version 3; use the brunt that wrote it", errVersion,
		},
		{
			"older version", replace(resultFile, `"version": 3`, `"version": 2`),
			"it is version 2, and this brunt reads version 3; use the brunt that wrote it", errVersion,
		},
		{"no version", replace(resultFile, `"version": 3`, `"edition": 3`), "brunt did not write it", errVersion},
		{
			"torn JSON", func(dir string) error { return os.Truncate(filepath.Join(dir, resultFile), 3000) },
			"reading result.json: ", nil,
		},
		{"wrong type", replace(resultFile, `"seed": 7`, `"seed": "seven"`), "seed", nil},
		{"torn log", func(dir string) error { return os.Truncate(filepath.Join(dir, hlogFile), 3000) }, "torn", errTorn},
		{"foreign tag", replace(hlogFile, "Tag=3,", "Tag=A,"), "reading latency.hlog: line 8: a tag is a number", nil},
		{"torn event", replace(eventsFile, "}\n", "\n"), "reading events.jsonl: line 1: ", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := writeEvidence(dir, reporterstest.Results()["short"]); err != nil {
				t.Fatal(err)
			}
			if err := tt.change(dir); err != nil {
				t.Fatal(err)
			}
			_, err := Read(dir)
			if err == nil || !strings.Contains(err.Error(), tt.want) || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// TestRead_CutLog: a log that ends after a whole line, before its time, is read with a note.
func TestRead_CutLog(t *testing.T) {
	dir := t.TempDir()
	if err := writeEvidence(dir, reporterstest.Results()["short"]); err != nil {
		t.Fatal(err)
	}
	whole, err := Read(dir)
	if err != nil || len(whole.Notes) > 0 {
		t.Fatal(whole.Notes, err)
	}
	path := filepath.Join(dir, hlogFile)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b = b[:len(b)-1]
	if err := os.WriteFile(path, b[:bytes.LastIndexByte(b, '\n')+1], 0o644); err != nil {
		t.Fatal(err)
	}
	cut, err := Read(dir)
	if err != nil || len(cut.Notes) != 1 || !strings.HasPrefix(cut.Notes[0], "latency.hlog is cut: 1 of its ") {
		t.Error(cut.Notes, err)
	}
}

func replace(file, from, to string) func(dir string) error {
	return func(dir string) error {
		path := filepath.Join(dir, file)
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(path, bytes.Replace(b, []byte(from), []byte(to), 1), 0o644)
	}
}

func TestJSON_Form(t *testing.T) {
	reporterstest.Each(t, func(t *testing.T, r *result.Result) {
		text := reporterstest.Render(t, JSON{}, r)
		var whole map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &whole); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"loads", "phases", "cells", "errors", "faults", "objectives", "windows"} {
			if !bytes.HasPrefix(whole[key], []byte("[")) {
				t.Errorf("%s is %.20s, want a list", key, whole[key])
			}
		}
		if n := strings.Count(text, "\n  {\"t\":"); n < len(r.Windows) {
			t.Errorf("%d lines of windows, want %d", n, len(r.Windows))
		}
		// the same data as without line breaks
		var compact bytes.Buffer
		if err := json.Compact(&compact, []byte(text)); err != nil {
			t.Fatal(err)
		}
		var want bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(withEmptyLists(r)); err != nil {
			t.Fatal(err)
		}
		if compact.String() != strings.TrimSpace(want.String()) {
			t.Error("breaking lines changed the data")
		}
	})
}

func TestJSON_Beginning(t *testing.T) {
	text := reporterstest.Render(t, JSON{}, reporterstest.Results()["minute"])
	for _, want := range []string{
		"{\n \"version\": 3,\n \"run\": ", " \"environment\": {\n  \"brunt\": \"v0.1.0\",\n",
		"\n \"phases\": [\n  {\"name\":\"warmup\",\"start\":-5,\"end\":0},\n",
		`"hist":`, `\"read post\" in baseline`, `"p95 < 200ms in baseline"`, "\n  \"seconds\": [\n   {\"t\":1,",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %.2000s", want, text)
		}
	}
	if strings.Contains(text, `\u003c`) {
		t.Error("< is escaped")
	}
}

func FuzzReadEvents(f *testing.F) {
	f.Add([]byte("{\"t\":1,\"event\":\"run.start\"}\n\n"))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = readEvents(bytes.NewReader(b)) })
}

func FuzzHlogLine(f *testing.F) {
	f.Add([]byte("Tag=1,0.000000,1.000000,4.100,HISTFAAAABR42pNpmSzMwMDAxAABjCARAAvmAI4=\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if !bytes.HasPrefix(b, []byte("Tag=")) {
			return
		}
		h, err := parseHlogLine(b)
		if err == nil && (h.at < 0 || h.size < 0 || int(h.at)+h.size > len(b)) {
			t.Errorf("payload at %d, %d bytes, of %d", h.at, h.size, len(b))
		}
	})
}

func TestEvents_InfinityIsNoReasonToLoseAnEvent(t *testing.T) {
	text := reporterstest.Render(t, Events{}, reporterstest.Results()["hostile"])
	if n := strings.Count(text, "\n"); n != len(reporterstest.Results()["hostile"].Events) ||
		!strings.Contains(text, "+Inf") {
		t.Errorf("%d lines: %s", n, text)
	}
	events, err := readEvents(strings.NewReader(text))
	if err != nil || !slices.ContainsFunc(events, func(e result.Event) bool { return e.Data["n"] == "+Inf" }) {
		t.Errorf("%v %v", events, err)
	}
}
