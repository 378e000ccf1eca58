package status

import (
	"slices"
	"strconv"
	"strings"
)

var names = [...]string{
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
	"PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
	"FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
	"UNAUTHENTICATED",
}

// Name returns the name of a code, or its number if it has no name.
func Name(code int) string {
	if code >= 0 && code < len(names) {
		return names[code]
	}
	return strconv.Itoa(code)
}

// Code returns the code with a name, in upper or lower case.
func Code(name string) (code int, known bool) {
	code = slices.IndexFunc(names[:], func(s string) bool { return strings.EqualFold(s, name) })
	return max(0, code), code >= 0
}

// Names lists the names of the codes, by number.
func Names() []string { return slices.Clone(names[:]) }
