package memcached

import (
	"strconv"
	"strings"

	"brunt/scenarios"
)

// Numbers of errors. Files of requests store them, so that a number keeps its meaning for ever.
const (
	exists = 1 + iota // the item has changed since its cas was read
	unknownCommand
	clientError
	serverError
)

var names = [...]string{
	exists: "exists", unknownCommand: "ERROR", clientError: "CLIENT_ERROR", serverError: "SERVER_ERROR",
}

// causes are the causes of answers that are errors.
var causes = scenarios.CauseFamily{First: 14 << 16, Name: func(number int32) string {
	if number > 0 && int(number) < len(names) {
		return "error " + names[number]
	}
	return "error " + strconv.Itoa(int(number))
}}

// numberOf reads an error by its name.
func numberOf(text string) (int32, bool) {
	for i, name := range names {
		if name != "" && strings.EqualFold(text, name) {
			return int32(i), true
		}
	}
	return 0, false
}
