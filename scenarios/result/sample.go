package result

// A Sample is one failed request kept for the report. Secrets are masked in it.
type Sample struct {
	At      float64           `json:"at"`                         // an offset from t0
	Load    string            `json:"load,omitempty" mask:"-"`    // the load of the request
	Step    string            `json:"step,omitempty" mask:"word"` // the step of the request
	Request string            `json:"request,omitempty"`          // METHOD URL
	Status  int               `json:"status,omitempty"`           // status of the answer; 0 means no answer
	Message string            `json:"message,omitempty"`          // the error
	Body    string            `json:"body,omitempty"`             // the beginning of the answer
	Headers map[string]string `json:"headers,omitempty"`          // headers of the answer
	// the request as sent on the wire; nil if it was not sent, or is unknown
	Sent *Sent `json:"sent,omitempty"`
	// a curl command that repeats the request, for a POSIX shell
	Curl  string `json:"curl,omitempty"`
	Trace string `json:"trace,omitempty" mask:"-"` // id of its trace
}

// Said returns the message and the beginning of the answer as one text.
func (s *Sample) Said() string {
	if s.Message == "" || s.Body == "" {
		return s.Message + s.Body
	}
	return s.Message + ": " + s.Body
}
