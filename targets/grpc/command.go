package grpc

import (
	"strconv"
	"strings"
	"time"

	"brunt/scenarios/check"
	"brunt/scenarios/result"
)

// command returns a call as a grpcurl command for a POSIX shell, quoted like [result.Sent.Curl]. It is empty if the
// message was not kept completely.
func command(s *result.Sent) string {
	if s.Cut > 0 || s.Base64 {
		return ""
	}
	rest, plain := strings.CutPrefix(s.URL, "grpc://")
	if !plain {
		rest = strings.TrimPrefix(s.URL, "grpcs://")
	}
	host, method, ok := strings.Cut(rest, "/")
	if !ok {
		return ""
	}
	var b strings.Builder
	b.WriteString("grpcurl")
	switch {
	case plain:
		b.WriteString(" -plaintext")
	case s.Trust:
		b.WriteString(" -insecure")
	}
	for _, word := range s.Protos {
		if strings.HasPrefix(word, "-") {
			b.WriteString(" " + word)
		} else {
			b.WriteString(" " + result.ShellWord(word, "SECRET", false))
		}
	}
	for _, line := range s.Headers {
		name, value, ok := strings.Cut(line, ":")
		if !ok || !check.IsToken(name) {
			continue
		}
		if value = strings.TrimSpace(value); name == "grpc-timeout" {
			if seconds := timeoutSeconds(value); seconds != "" {
				b.WriteString(" -max-time " + seconds)
			}
			continue
		}
		b.WriteString(" \\\n  -H " + result.ShellWord(name+": "+value, result.ShellVariable(name), false))
	}
	if s.Body != "" && s.Body != "{}" {
		b.WriteString(" \\\n  -d " + result.ShellWord(s.Body, "SECRET", true))
	}
	b.WriteString(" \\\n  " + result.ShellWord(host, "SECRET", false) + " " + result.ShellWord(method, "SECRET", false))
	return b.String()
}

// timeoutSeconds converts a value of grpc-timeout to seconds. It is empty if the value has another form.
func timeoutSeconds(value string) string {
	if value == "" {
		return ""
	}
	unit, known := map[byte]time.Duration{
		'n': time.Nanosecond, 'u': time.Microsecond, 'm': time.Millisecond, 'S': time.Second, 'M': time.Minute,
		'H': time.Hour,
	}[value[len(value)-1]]
	n, err := strconv.ParseInt(value[:len(value)-1], 10, 32)
	if !known || err != nil {
		return ""
	}
	return strconv.FormatFloat((time.Duration(n) * unit).Seconds(), 'f', -1, 64)
}
