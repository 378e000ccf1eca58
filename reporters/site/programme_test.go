package site_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/reporters/html"
	"brunt/reporters/site"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/result/programme"
)

const day = 24 * time.Hour

// calendar is a folder of results, written by hand: folder, scenario, verdict, day of its end in 2026, meta.
var calendar = [][5]string{
	{"a1", "shop", "pass", "01-01", ``},
	{"a2", "shop", "pass", "03-01", ``},
	{"a3", "shop", "invalid", "03-20", ``},
	{"b1", "shop: replica-crash", "fail", "01-10", `"ticket": "OPS-7, RISK-1"`},
	{"b2", "shop: replica-crash", "inconclusive", "01-20", ``},
	{"b3", "shop: replica-crash", "fail", "02-01", `"closes": "run-b1"`},
	{"b4", "shop: replica-crash", "pass", "02-10", `"closes": "RUN-B3, ops-7, RISK-9"`},
	{"c1", "pay", "fail", "02-01", ``},
	{"c2", "pay", "pass", "02-05", ``},
	{"d1", "mail", "pass", "01-01", ``},
	{"d2", "mail", "stopped", "02-15", ``},
	{"e1", "idle", "inconclusive", "02-01", ``},
	{"f1", "early", "pass", "01-01", `"closes": "run-d2"`}, // before that failure: it closes nothing
	{"g1", "mend", "pass", "04-01", `"closes": "run-d2"`},
}

func writeCalendar(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, c := range calendar {
		begin := "2026-" + c[3] + "T11:59:00Z"
		text := fmt.Sprintf(`{"version": %d, "run": "run-%s", "name": %q, "verdict": %q, "reason": "because", "started": %q,
			"ended": "2026-%sT12:00:00Z", "meta": {%s}, "cells": [], "objectives": [{"text": "lost = 0", "verdict": "fail"}],
			"environment": {"units": [{"unit": "web[0]", "service": "web", "image": "shop:1", "image_id": "sha256:%s"}]},
			"faults": [{"name": "lose", "kind": "process.crash", "units": ["web[0]"], "injected": 1, "verified": 1, "traffic": 5,
				"impact": "impacted", "expect": {"outcome": "impacted", "came": "yes"}}]}`,
			result.ResultVersion, c[0], c[1], c[2], begin, c[3], c[4], strings.Repeat("ab", 32))
		put(t, filepath.Join(root, c[0], "result.json"), text)
	}
	control := fmt.Sprintf(`{"version": %d, "run": "control", "name": "shop", "verdict": "pass", "control": true,
		"started": "2026-06-01T00:00:00Z", "ended": "2026-06-01T00:01:00Z"}`, result.ResultVersion)
	put(t, filepath.Join(root, "control", "result.json"), control)
	return root
}

func put(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestProgramme compares the states of a folder of known times with a calendar, at fixed clocks.
func TestProgramme(t *testing.T) {
	root := writeCalendar(t)
	cadences := []programme.Cadence{
		{Pattern: "replica-crash", Every: 30 * day},
		{Pattern: "shop*", Every: 90 * day}, // the shorter one counts
		{Pattern: "mail", Every: 365 * day},
		{Pattern: "idle", Every: 10 * day},
		{Pattern: "paay", Every: 10 * day},
	}
	for _, c := range []struct {
		at, states, failures string
		fit                  bool
	}{
		{"2025-12-31T00:00:00Z", "never idle, never mail, never paay, never replica-crash, never shop*", "", false},
		{
			"2026-01-15T00:00:00Z",
			"failed shop: replica-crash, never idle, never paay, proved early, proved mail, proved shop",
			"b1 open", false,
		},
		{
			"2026-02-03T00:00:00Z",
			"failed pay, failed shop: replica-crash, never paay, unproved idle, proved early, proved mail, proved shop",
			"c1 open, b3 open, b1 open", false,
		},
		{
			"2026-02-12T00:00:00Z",
			"never paay, unproved idle, proved early, proved mail, proved pay, proved shop, proved shop: replica-crash",
			"c1 passed_since c2, b3 closed by b4, b1 closed by b4", false,
		},
		{ // the last second of the proof of 02-10 is 03-12 at noon
			"2026-03-12T12:00:00Z",
			"failed mail, never paay, unproved idle, proved early, proved pay, proved shop, proved shop: replica-crash",
			"d2 open, c1 passed_since c2, b3 closed by b4, b1 closed by b4", false,
		},
		{
			"2026-03-12T12:00:01Z",
			"failed mail, never paay, unproved idle, overdue shop: replica-crash, proved early, proved pay, proved shop",
			"d2 open, c1 passed_since c2, b3 closed by b4, b1 closed by b4", false,
		},
		{ // shop was proved on 03-01: due on 05-30 at noon; another scenario closes the failure of mail
			"2026-05-30T12:00:01Z",
			"never paay, unproved idle, overdue shop, overdue shop: replica-crash, proved early, proved mail, proved mend, " +
				"proved pay",
			"d2 closed by g1, c1 passed_since c2, b3 closed by b4, b1 closed by b4", false,
		},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		p, problems := site.Programme([]string{root}, site.Plan{Cadences: cadences}, at)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		if got := statesOf(p); got != c.states {
			t.Errorf("%s\ngot  %s\nwant %s", c.at, got, c.states)
		}
		if got := failuresOf(p); got != c.failures {
			t.Errorf("%s\ngot  %s\nwant %s", c.at, got, c.failures)
		}
		if p.Fit() != c.fit {
			t.Errorf("%s: it is fit: %t", c.at, p.Fit())
		}
	}
	// All that is due was proved, and failures are closed or passed since: nothing wants attention.
	at := time.Date(2026, 4, 2, 0, 0, 0, 0, time.UTC)
	p, _ := site.Programme([]string{root}, site.Plan{Cadences: cadences[1:3]}, at)
	if !p.Fit() {
		t.Errorf("it is not fit: %s; %s", statesOf(p), failuresOf(p))
	}
	if len(p.Claims) != 2 || p.Claims[0].Finding != "RISK-9" || p.Claims[1].Finding != "run-d2" {
		t.Errorf("claims without a failure: %+v", p.Claims)
	}
	var b strings.Builder
	if err := (html.ProgrammePage{Title: "shop", Programme: p}).Report(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"web: shop:1 abababababab", "lose: recovered. As expected: the load is harmed, and recovers.",
		"every 90 days; due 2026-05-30", "closed by run run-g1 of mend on 2026-04-01",
		"its verdict is fail", "Of 3 scenarios with a cadence: 3 proved.",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page has no %q", want)
		}
	}
	text, err := json.Marshal(p)
	if err != nil || !strings.Contains(string(text), `"closed_by":{"run":"run-g1"`) {
		t.Errorf("%s, %v", text, err)
	}
}

func statesOf(p *programme.Programme) string {
	var out []string
	for _, s := range p.Scenarios {
		out = append(out, string(s.State)+" "+s.Name)
		if s.Name == "paay" && s.Last == nil && p.At.After(time.Date(2026, 2, 2, 0, 0, 0, 0, time.UTC)) &&
			s.Near != "pay" {
			out = append(out, "without the hint pay")
		}
	}
	return strings.Join(out, ", ")
}

func failuresOf(p *programme.Programme) string {
	var out []string
	for _, f := range p.Failures {
		text := f.Folder + " " + string(f.State)
		switch f.State {
		case programme.Closed:
			text += " by " + f.ClosedBy.Folder
		case programme.Passed:
			text += " " + f.PassedSince.Folder
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// TestProgramme_Attested: a valid attestation of an earlier run stands beside the newest proof; one that does not
// count is named, and one that was made later than the programme is left out.
func TestProgramme_Attested(t *testing.T) {
	at := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	ann := programme.Attestation{By: "ann", At: at.Add(-day), States: "fine", Key: "SHA256:x"}
	late := programme.Attestation{By: "late", At: at.Add(day), States: "fine", Key: "SHA256:x"}
	forged := programme.Attestation{By: "eve", At: at.Add(-day), States: "fine", Problem: "its signature does not hold"}
	run := func(folder string, age time.Duration, attested ...programme.Attestation) programme.Run {
		return programme.Run{Folder: folder, Attested: attested, Result: &result.Result{
			Name: "shop", Verdict: scenarios.Pass, Started: at.Add(-age), Ended: at.Add(-age),
		}}
	}
	runs := []programme.Run{run("old", 9*day, ann), run("new", 8*day, forged, late)}
	rows := words.ProgrammeRows(programme.Of(runs, nil, at))
	want := []string{
		"An attestation of eve does not count: its signature does not hold.",
		"run of 2026-05-23, pass: ann, 2026-05-31: fine",
	}
	if len(rows) != 1 || !slices.Equal(rows[0].Attested, want) {
		t.Errorf("got %q, want %q", rows, want)
	}
}

// TestProgramme_Pages: the list of a site leads to the programme, and its links lead to runs.
func TestProgramme_Pages(t *testing.T) {
	out := t.TempDir()
	_, _, err := site.Write(out, site.Options{Title: "nightly", Roots: []string{writeCalendar(t)}, Compare: compared})
	if err != nil {
		t.Fatal(err)
	}
	index, err := os.ReadFile(filepath.Join(out, "index.html"))
	if err != nil || !strings.Contains(string(index), `href="programme.html"`) {
		t.Errorf("the list does not lead to the programme: %v", err)
	}
	page, err := os.ReadFile(filepath.Join(out, "programme.html"))
	if err != nil || !strings.Contains(string(page), `href="runs/b4/report.html"`) {
		t.Errorf("the programme does not lead to b4: %v", err)
	}
	for _, row := range words.ProgrammeRows(&programme.Programme{
		Scenarios: []programme.Scenario{{Name: "a\x1b[31m", State: programme.Never}},
	}) {
		if strings.Contains(row.Name, "\x1b") {
			t.Errorf("a name passes on %q", row.Name)
		}
	}
}
