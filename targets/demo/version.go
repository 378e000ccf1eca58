package demo

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// versionHeader is the header with the version of the replica that answers.
const versionHeader = "X-Version"

// newerTime is how much longer a slow newer version takes for a page: a wait, so that it is the same on each machine.
const newerTime = 200 * time.Millisecond

// version is the version of a replica of posts, if there are two. A nil version changes nothing.
type version struct {
	newer bool   // pages have a field that earlier versions do not know
	state string // of the newer version
}

func newVersion(e *environment) *version {
	state := e.oneOf("DEMO_NEWER", goodNewer, slowNewer, brokenNewer)
	if e.oneOf("DEMO_VERSIONS", sameVersions, mixedVersions) == sameVersions {
		return nil
	}
	_, index, _ := strings.Cut(strings.TrimSuffix(e.text("BRUNT_UNIT", ""), "]"), "[")
	n, _ := strconv.Atoi(index)
	return &version{newer: n%2 == 1, state: state}
}

// page returns a page as the version of the replica has it.
func (v *version) page(w http.ResponseWriter, body []byte) []byte {
	if v == nil {
		return body
	}
	if !v.newer {
		w.Header().Set(versionHeader, "v1")
		return body
	}
	w.Header().Set(versionHeader, "v2")
	switch v.state {
	case slowNewer:
		time.Sleep(newerTime)
	case brokenNewer:
		return []byte(`{"items":[],"version":2}`)
	}
	if at := bytes.LastIndexByte(body, '}'); at > 0 {
		body = append(body[:at:at], `,"version":2}`...)
	}
	return body
}
