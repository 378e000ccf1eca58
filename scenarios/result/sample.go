package result

// A Sample is one failed request kept for the report. Secrets are masked in it.
type Sample struct {
	At      float64           `json:"at"`                // an offset from t0
	Load    string            `json:"load,omitempty"`    // whose it was
	Step    string            `json:"step,omitempty"`    // whose it was
	Request string            `json:"request,omitempty"` // METHOD URL
	Status  int               `json:"status,omitempty"`  // of the answer; 0 is no answer
	Message string            `json:"message,omitempty"` // what was wrong
	Body    string            `json:"body,omitempty"`    // the beginning of the answer
	Headers map[string]string `json:"headers,omitempty"` // of the answer
	Sent    *Sent             `json:"sent,omitempty"`    // the request as it went on the wire; nil: it never did, or that is not known
	Curl    string            `json:"curl,omitempty"`    // a command of curl that sends the request again, for a POSIX shell
	Trace   string            `json:"trace,omitempty"`   // id of its trace
}

// Said is what the sample tells beside its request: the message, and the answer.
func (s *Sample) Said() string {
	if s.Message == "" || s.Body == "" {
		return s.Message + s.Body
	}
	return s.Message + ": " + s.Body
}
