package nats

import (
	"encoding/json"
	"strconv"
	"strings"

	"brunt/scenarios"
)

// Numbers of errors. Files of requests store them, so that a number keeps its meaning for ever.
//
//	1 to 99         errors that the server sends as -ERR, by refusals
//	100 to 999      a status in the headers of a message: 503 says that no one listens
//	10000 and more  err_code of JetStream's API
const (
	otherRefusal  = 99
	firstStatus   = 100
	noResponders  = 503
	noMessages    = 404
	timedOut      = 408
	firstOfStream = 10_000
	noConsumer    = 10_014
	noMessage     = 10_037
	noStream      = 10_059
	mostOfStream  = 19_999
)

// refusals are the beginnings of -ERR by number, in lower case. A new one stands at the end.
var refusals = [...]string{
	"", "permissions violation", "authorization violation", "authentication timeout", "authentication expired",
	"maximum payload violation", "maximum connections exceeded", "maximum account active connections exceeded",
	"maximum subscriptions exceeded", "slow consumer", "stale connection", "invalid subject", "invalid publish subject",
	"parser error", "unknown protocol operation", "secure connection - tls required", "maximum control line exceeded",
	"user authentication revoked", "server shutdown",
}

// refusal returns the number of an -ERR.
func refusal(text []byte) (number int32, reason string) {
	reason = strings.Trim(string(text), "' ")
	for i := 1; i < len(refusals); i++ {
		if strings.HasPrefix(strings.ToLower(reason), refusals[i]) {
			return int32(i), reason
		}
	}
	return otherRefusal, reason
}

// causes are the causes of answers that are errors.
var causes = scenarios.CauseFamily{First: 11 << 16, Name: func(number int32) string {
	switch {
	case number >= firstOfStream:
		return "error " + strconv.Itoa(int(number))
	case number >= firstStatus:
		return "status " + strconv.Itoa(int(number))
	case number > 0 && int(number) < len(refusals):
		return "error " + refusals[number]
	}
	return "error other"
}}

// numberOf reads an error by number, such as 503 or 10071, or by the beginning of its text.
func numberOf(text string) (int32, bool) {
	n, err := strconv.ParseUint(text, 10, 15)
	if err == nil {
		return int32(n), n >= firstStatus && n < 1000 || n >= firstOfStream && n <= mostOfStream
	}
	if strings.EqualFold(text, "no responders") {
		return noResponders, true
	}
	number, _ := refusal([]byte(text))
	return number, number != otherRefusal && strings.EqualFold(text, refusals[number])
}

// An ack is an answer of JetStream: of its API, or to a message that a stream has stored.
type ack struct {
	Error *struct {
		Code        int32  `json:"code"`
		ErrCode     int32  `json:"err_code"`
		Description string `json:"description"`
	} `json:"error"`
	Stream string `json:"stream"`
	Seq    uint64 `json:"seq"`
}

// parse reads an answer. It reports whether it is one of JetStream.
func (a *ack) parse(body []byte) bool { return json.Unmarshal(body, a) == nil }

// refused returns the number and the text of an answer that is an error, or 0.
func (a *ack) refused() (number int32, reason string) {
	e := a.Error
	switch {
	case e == nil:
		return 0, ""
	case e.ErrCode >= firstOfStream && e.ErrCode <= mostOfStream:
		return e.ErrCode, e.Description
	case e.Code >= firstStatus && e.Code < 1000:
		return e.Code, e.Description
	}
	return otherRefusal, e.Description
}
