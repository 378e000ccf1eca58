package k6

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// A Config is the first message to the process of a script: one line of JSON.
type Config struct {
	Version int               `json:"version"`
	Script  string            `json:"script"`         // its absolute path
	Env     map[string]string `json:"env,omitempty"`  // for __ENV
	Args    []string          `json:"args,omitempty"` // more arguments of k6
	Change  Change            `json:"change"`         // changes of the script's options by the scenario
	// allow-lists of addresses beyond loopback; all of them must contain an address
	Allow [][]string `json:"allow,omitempty"`
	// folders from which policies let the script read files, a list for each policy, all of which must hold a file; nil
	// is no limit
	Files   [][]string        `json:"files,omitempty"`
	Routes  map[string]string `json:"routes,omitempty"` // maps host or host:port to the host:port of the connection
	Warmup  time.Duration     `json:"warmup,omitempty"` // time of the script that its thresholds ignore
	Control bool              `json:"control,omitempty"`
	Part    Part              `json:"part"` // zero: the whole script
}

// A Command is a later message to the process: one line of JSON each.
type Command struct {
	Begin bool `json:"begin,omitempty"` // setup is over in every script: begin the load
	// to a part after the first: the result of setup, as JSON; empty means undefined
	Data  *string      `json:"data,omitempty"`
	Last  bool         `json:"last,omitempty"`  // to the first part: the others have ended, so run teardown
	Stop  bool         `json:"stop,omitempty"`  // begin no further iteration, run teardown, end
	Phase *string      `json:"phase,omitempty"` // the active faults, by name; empty means none
	Fault *FaultAnswer `json:"fault,omitempty"`
}

// A FaultAnswer answers a script's request for a fault.
type FaultAnswer struct {
	ID      int64  `json:"id"`
	Refused string `json:"refused,omitempty"` // reason for the refusal; empty: the fault is injected
	Control bool   `json:"control,omitempty"` // this is a control run without faults
}

// A Note is a message from the process that is not about single requests.
type Note struct {
	Ready bool `json:"ready,omitempty"` // setup is over; the process waits for Begin
	// with Ready, of the first part: the result of setup, as JSON; empty means undefined
	Data       string      `json:"data,omitempty"`
	Mark       *Mark       `json:"mark,omitempty"`       // an event of the script
	Fault      *FaultAsk   `json:"fault,omitempty"`      // the script asks for a fault
	Metrics    []Metric    `json:"metrics,omitempty"`    // values so far
	Thresholds []Threshold `json:"thresholds,omitempty"` // results so far
	Deltas     *Deltas     `json:"deltas,omitempty"`     // of a part, instead of Metrics and Thresholds
	Lost       int64       `json:"lost,omitempty"`       // total of requests and iterations lost to a full buffer
	// requests in the common step for all steps beyond the limit
	Others int64 `json:"others,omitempty"`
	Loose  int64 `json:"loose,omitempty"` // checks that no request of their virtual user preceded
	End    *End  `json:"end,omitempty"`   // the last note
}

// A Mark is an event that the script reports.
type Mark struct {
	At    time.Duration  `json:"at"`
	Phase bool           `json:"phase,omitempty"` // begins a phase of the script
	Text  string         `json:"text"`
	Data  map[string]any `json:"data,omitempty"`
}

// A FaultAsk is a fault that the script wants injected.
type FaultAsk struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// An End says how the script ended, according to k6.
type End struct {
	Error string `json:"error,omitempty"` // empty: no error
}

// A Metric is one of k6's metrics, summed up. Times are in milliseconds, like in k6.
type Metric struct {
	Name     string  `json:"name"`
	Type     string  `json:"type"`               // counter, gauge, rate, trend
	Contains string  `json:"contains,omitempty"` // default, time, data
	Count    int64   `json:"count"`              // samples
	Sum      float64 `json:"sum"`                // of a rate: the number of samples that are not zero
	Last     float64 `json:"last"`
	Min      float64 `json:"min"`
	Max      float64 `json:"max"`
	P50      float64 `json:"p50"`
	P90      float64 `json:"p90"`
	P95      float64 `json:"p95"`
	P99      float64 `json:"p99"`
	Rate     float64 `json:"rate"` // a counter's rate per second; a rate's share, 0 to 1
}

// A Threshold is one of the script's thresholds with its result.
type Threshold struct {
	Metric   string  `json:"metric"` // with {tag:value} if it is limited to some samples
	Source   string  `json:"source"` // as written: p(95)<200
	What     string  `json:"what"`   // p(95)
	Op       string  `json:"op"`
	Target   float64 `json:"target"`
	Count    int64   `json:"count"` // number of samples it was evaluated on
	Measured float64 `json:"measured"`
	Holds    bool    `json:"holds"`
	Abort    bool    `json:"abort,omitempty"` // the script aborts the test if the threshold fails
}

// Check returns an error for a config of another version.
func (c *Config) Check() error {
	if c.Version != wireVersion {
		return fmt.Errorf("brunt speaks version %d and %s %d; build both from the same tree", c.Version, Binary, wireVersion)
	}
	return nil
}

// mostMark is the maximum size of a mark, in bytes.
const mostMark = 16 << 10

// Check returns an error for a mark whose data can't be encoded or is too large.
func (m *Mark) Check() error {
	b, err := json.Marshal(m.Data)
	if err != nil {
		return fmt.Errorf("the data of a mark is plain JSON: %w", err)
	}
	if n := len(b) + len(m.Text); n > mostMark {
		return fmt.Errorf("a mark has at most %d bytes, and this one %d", mostMark, n)
	}
	return nil
}

// NotAllowed is part of the error text of a connection outside the blast radius.
const NotAllowed = "lies outside the blast radius; name it under guard.allow.load to let load go there"

// CodeNotAllowed is the code of such an error, instead of a code of k6.
const CodeNotAllowed = -1

// CodeClosed is the code of a connection that was closed before the answer was complete. k6 has no code for that.
const CodeClosed = -2

// CodeCut is the code of a request that the end of its iteration cut off, as `gracefulStop` and the end of the run do.
// k6 itself reports no such request.
const CodeCut = -3

// CodeOf returns the code of a request's error from k6's report of it.
func CodeOf(code int, text string) int {
	switch {
	case isNotAllowed(text):
		return CodeNotAllowed
	case code == 1000 && (strings.HasSuffix(text, "EOF") || strings.Contains(text, "server closed idle connection")):
		return CodeClosed
	}
	return code
}

// WasSent tells from the error code whether a request without an answer was sent. Errors of DNS, dialing, TLS or the
// blast radius occur before sending.
func WasSent(code int) bool {
	return code == 1050 || code == CodeClosed || code == CodeCut || code == 1201 || code == 1220 ||
		code >= 1400 && code < 1800
}

// isNotAllowed recognizes the error of the allow-list by its text, because k6 keeps only the text.
func isNotAllowed(text string) bool { return strings.Contains(text, NotAllowed) }
