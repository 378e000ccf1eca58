package kafka

import (
	"fmt"
	"strconv"
	"strings"

	"brunt/scenarios"
	"brunt/targets"

	"github.com/twmb/franz-go/pkg/kerr"
)

// Error codes that brunt itself tells apart.
const (
	offsetOutOfRange    = 1
	unknownTopic        = 3
	illegalGeneration   = 22
	unknownMember       = 25
	rebalanceInProgress = 27
	groupNotFound       = 69
	memberIDRequired    = 79
)

// causes are the causes of answers that are errors. The number of a cause is the error code, as an unsigned number.
var causes = scenarios.CauseFamily{First: 0x70 << 16, Name: func(number int32) string {
	return "error " + codeName(int16(uint16(number)))
}}

// causeOf returns the cause for an error code.
func causeOf(code int16) scenarios.Cause { return causes.Cause(int32(uint16(code))) }

// codeName returns the name of an error code, such as NOT_LEADER_FOR_PARTITION, or its number if it has none.
func codeName(code int16) string {
	if code == 0 {
		return "NONE"
	}
	if e := kerr.TypedErrorForCode(code); e != nil && e.Code == code {
		return e.Message
	}
	return strconv.Itoa(int(code))
}

// codeNamed returns the error code with a name or a number.
func codeNamed(text string) (int16, bool) {
	if n, err := strconv.ParseInt(text, 10, 16); err == nil {
		return int16(n), true
	}
	if text = strings.ToUpper(text); text == "NOT_LEADER_OR_FOLLOWER" { // the name of Kafka 2.6 and later
		return kerr.NotLeaderForPartition.Code, true
	}
	for code := int16(-1); code < mostCode; code++ {
		if code != 0 && codeName(code) == text {
			return code, true
		}
	}
	return 0, false
}

// mostCode bounds the error codes whose names are looked for.
const mostCode = 200

// refused is the error for an answer with an error code. What names the request.
func refused(what string, code int16) error {
	if code == 0 {
		return nil
	}
	text := fmt.Sprintf("%s: error %s", what, codeName(code))
	if e := kerr.TypedErrorForCode(code); e != nil && e.Code == code {
		text += ": " + e.Description
	}
	return &codeError{code: code, text: text}
}

// codeError is an answer with an error code.
type codeError struct {
	code int16
	text string
}

func (e *codeError) Error() string { return e.text }

// ErrorCause implements the interface that [targets.CauseOf] uses.
func (e *codeError) ErrorCause() scenarios.Cause { return causeOf(e.code) }

// bad is the error for bytes that are not valid in the protocol.
func bad(format string, args ...any) error {
	return &targets.Error{Cause: scenarios.Protocol, Text: fmt.Sprintf(format, args...)}
}
