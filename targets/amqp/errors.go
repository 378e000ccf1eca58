package amqp

import (
	"strconv"
	"strings"

	"brunt/scenarios"
)

// Numbers of errors. Files of requests store them, so that a number keeps its meaning for ever. The others are reply
// codes of AMQP: 312 says that no queue takes a message, 404 that there is no such queue or exchange.
const (
	nacked    = 1 // the server refused a message: basic.nack
	blocked   = 2 // the server blocked publishers until the timeout passed: connection.blocked
	cancelled = 3 // the server ended a consumer: basic.cancel

	firstReply = 200
	notFound   = 404
)

var names = [...]string{nacked: "nack", blocked: "blocked", cancelled: "cancelled"}

// causes are the causes of answers that are errors.
var causes = scenarios.CauseFamily{First: 12 << 16, Name: func(number int32) string {
	switch {
	case number >= firstReply:
		return "error " + strconv.Itoa(int(number))
	case number > 0 && int(number) < len(names):
		return "error " + names[number]
	}
	return "error other"
}}

// replies are the names of reply codes.
var replies = map[string]int32{
	"CONTENT_TOO_LARGE": 311, "NO_ROUTE": 312, "NO_CONSUMERS": 313, "CONNECTION_FORCED": 320, "INVALID_PATH": 402,
	"ACCESS_REFUSED": 403, "NOT_FOUND": notFound, "RESOURCE_LOCKED": 405, "PRECONDITION_FAILED": 406, "FRAME_ERROR": 501,
	"SYNTAX_ERROR": 502, "COMMAND_INVALID": 503, "CHANNEL_ERROR": 504, "UNEXPECTED_FRAME": 505, "RESOURCE_ERROR": 506,
	"NOT_ALLOWED": 530, "NOT_IMPLEMENTED": 540, "INTERNAL_ERROR": 541,
}

// numberOf reads an error by its reply code or name: 312, NO_ROUTE, nack.
func numberOf(text string) (int32, bool) {
	if n, err := strconv.ParseUint(text, 10, 10); err == nil {
		return int32(n), n >= firstReply && n < 600
	}
	for i, name := range names {
		if name != "" && strings.EqualFold(text, name) {
			return int32(i), true
		}
	}
	n, known := replies[strings.ReplaceAll(strings.ToUpper(text), "-", "_")]
	return n, known
}
