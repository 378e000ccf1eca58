package html

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// mostEvidence bounds the number of files and of services that the page names.
const mostEvidence = 40

// A logView is a link to the output of a unit, in a file beside the page.
type logView struct{ Unit, File, Size string }

// mostLogs bounds the links to logs.
const mostLogs = 100

// logs links only files that brunt itself named, so no link leads out of the run's folder.
func logs(list []result.UnitLog) []logView {
	var out []logView
	for _, l := range list[:min(len(list), mostLogs)] {
		if filepath.IsLocal(filepath.FromSlash(l.File)) && strings.HasSuffix(l.File, ".log") {
			out = append(out, logView{words.Clean(l.Unit), l.File, words.Bytes(l.Bytes)})
		}
	}
	return out
}

// identities lists the programs and files of the run, with checksums. Units of a service with the same identity share
// a row.
func identities(e *result.Environment) []words.Pair {
	var out []words.Pair
	add := func(name, value string) {
		if len(out) < mostEvidence {
			out = append(out, pair(words.Clean(name), words.Clean(value)))
		}
	}
	if e.Commit != "" {
		add("Commit", e.Commit)
	}
	if e.Binary != "" {
		add("brunt's SHA-256", e.Binary)
	}
	if c := e.Clock; c != nil {
		text := "not synchronized"
		if c.Synchronized {
			text = "synchronized; " + words.Seconds(c.Offset) + " to correct"
			if c.MaxError.Known() {
				text += ", wrong by " + words.Seconds(c.MaxError) + " at most"
			}
		}
		add("Clock", text)
	}
	for _, t := range e.Tools {
		add(t.Path, sumText(t.SHA256))
	}
	var rows []words.Pair
	for i := range e.Units {
		u := &e.Units[i]
		of := madeOf(u)
		at := slices.IndexFunc(rows, func(p words.Pair) bool {
			return strings.HasPrefix(p.Name, u.Service+" ") &&
				p.Value == of
		})
		if of == "" || at >= 0 {
			continue
		}
		n := 0
		for j := range e.Units {
			if e.Units[j].Service == u.Service && madeOf(&e.Units[j]) == of {
				n++
			}
		}
		rows = append(rows, pair(fmt.Sprintf("%s x%d", u.Service, n), of))
	}
	for _, r := range rows {
		add(r.Name, r.Value)
	}
	for _, f := range e.Scenario {
		add(f.Path, sumText(f.SHA256))
	}
	return out
}

// madeOf describes the program or images of a unit.
func madeOf(u *result.UnitIdentity) string {
	switch {
	case len(u.Digests) > 0:
		return u.Digests[0]
	case u.ImageID != "":
		return u.Image + ", image " + sumText(u.ImageID)
	}
	var parts []string
	for _, p := range u.Programs {
		parts = append(parts, p.Path+" "+sumText(p.SHA256))
	}
	return strings.Join(parts, ", ")
}

// sumText returns the beginning of a checksum, which is enough to identify it. result.json has the whole checksum.
func sumText(sum string) string {
	sum = strings.TrimPrefix(sum, "sha256:")
	return "sha256:" + sum[:min(16, len(sum))]
}
