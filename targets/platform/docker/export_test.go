package docker

import (
	"net/http"
	"time"
)

// Names that the external tests use.

var ErrUnreachable = errUnreachable

var (
	IsLinux = isLinux
	Needed  = needed
)

// Again returns the transport that sends a question once more if no answer comes within that time.
func Again(next http.RoundTripper, soon time.Duration) http.RoundTripper {
	return &again{next: next, question: soon, order: soon, limit: time.Minute}
}
