package plugin

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios"
)

// version of the lines.
const version = 1

// mostLine is the maximum length of a line of a plug-in, in bytes.
const mostLine = 1 << 20

// mostStatus is the largest status of an answer.
const mostStatus = 1<<16 - 1

// hello is brunt's first line.
type hello struct {
	Hello   int    `json:"hello"`
	URL     string `json:"url"`     // of the endpoint
	Address string `json:"address"` // host:port of its URL, after DNS and `resolve`, or of the link that leads there
	Seed    uint64 `json:"seed"`    // of the run, for random values
}

// line is a line of a plug-in: its hello, or an answer.
type line struct {
	Hello    int                        `json:"hello"`
	Name     string                     `json:"name"`     // of the plug-in
	Calls    []string                   `json:"calls"`    // that it knows; empty: brunt does not check their names
	Examples map[string]json.RawMessage `json:"examples"` // settings of a call, by its name

	ID      uint64          `json:"id"`
	Status  int32           `json:"status"`
	Body    json.RawMessage `json:"body"`
	Absent  bool            `json:"absent"` // the item does not exist
	Failed  string          `json:"failed"` // why there is no answer: one of failures
	Message string          `json:"message"`
}

// failures are the words with which a plug-in says why it has no answer.
var failures = map[string]scenarios.Cause{
	"refused": scenarios.Refused, "reset": scenarios.Reset, "closed": scenarios.Closed, "timeout": scenarios.Timeout,
	"unreachable": scenarios.Unreachable, "dns": scenarios.NameNotFound, "tls": scenarios.TLSFailed,
	"protocol": scenarios.Protocol, "other": scenarios.Other,
}

// words lists the words of failures.
func words() string {
	var all []string
	for word := range failures {
		all = append(all, word)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// parse reads a line of a plug-in.
func parse(text []byte) (*line, error) {
	l := new(line)
	err := json.Unmarshal(text, l)
	switch {
	case err != nil:
		return nil, errors.New(strings.TrimPrefix(err.Error(), "json: "))
	case l.Hello == 0 && l.ID == 0:
		return nil, errors.New("it has no id")
	case l.Hello != 0 && l.ID != 0:
		return nil, errors.New("it is both a hello and an answer")
	case l.Status < 0 || l.Status > mostStatus:
		return nil, fmt.Errorf("its status is %d, and a status is 0 to %d", l.Status, mostStatus)
	case l.Failed != "" && failures[l.Failed] == scenarios.NoCause:
		return nil, fmt.Errorf("failed is %q, and it is one of %s", l.Failed, words())
	}
	return l, nil
}

// appendCall appends the line of a call, without its id and the text before that.
func appendCall(dst []byte, name string, with []byte, user int, timeout time.Duration) []byte {
	dst = append(dst, `,"call":`...)
	dst = strconv.AppendQuote(dst, name) // a name has no character that JSON writes differently
	if len(with) > 0 {
		dst = append(dst, `,"with":`...)
		from := len(dst)
		dst = append(dst, with...)
		for i := from; i < len(dst); i++ {
			if dst[i] == '\n' || dst[i] == '\r' { // between values, for in a text JSON does not allow them
				dst[i] = ' '
			}
		}
	}
	dst = append(dst, `,"user":`...)
	dst = strconv.AppendInt(dst, int64(user), 10)
	dst = append(dst, `,"timeout_ms":`...)
	dst = strconv.AppendInt(dst, max(0, timeout.Milliseconds()), 10)
	return append(dst, "}\n"...)
}

// appendID appends the beginning of the line of a call.
func appendID(dst []byte, id uint64) []byte {
	return strconv.AppendUint(append(dst, `{"id":`...), id, 10)
}
