package result

// Generator is the load generator's own health. Only lag counts against brunt.
type Generator struct {
	Lag         Lag             `json:"lag"`               // how late brunt was to send
	Queue       Lag             `json:"queue"`             // how long requests waited for a slot
	Offered     int64           `json:"offered"`           // requests that the schedule asked for
	Sent        int64           `json:"sent"`              // of them
	Healthy     bool            `json:"healthy"`           // it was not the limit
	Limits      []string        `json:"limits"`            // what was hit, and what to do
	Pacing      string          `json:"pacing"`            // how arrivals were timed: precise or efficient
	LagLimit    Num             `json:"lag_limit"`         // p99 lag above it makes the run invalid
	Clamped     int64           `json:"clamped,omitempty"` // values beyond the bounds of the histograms
	CPU         Num             `json:"cpu"`               // of brunt: cores in the mean
	Memory      int64           `json:"memory"`            // of brunt at most, bytes
	Steal       Num             `json:"steal"`             // share of CPU time that the hypervisor took
	Pressure    Num             `json:"pressure"`          // share of the time that tasks waited for a processor
	GCPauses    Num             `json:"gc_pauses"`         // in all, seconds
	GCPauseMax  Num             `json:"gc_pause_max"`      // the longest pause of the collector
	ClockSteps  int             `json:"clock_steps"`       // times that the wall clock was set
	InFlightMax int64           `json:"in_flight_max"`     // iterations under way at once, at most
	Connections int64           `json:"connections"`       // opened in all
	Spoken      []string        `json:"spoken"`            // the versions of the protocol that they really spoke
	Seconds     []GeneratorTick `json:"seconds,omitempty"` // the same, by second
}

// Lag is a distribution of waits in seconds.
type Lag struct {
	P50 Num `json:"p50"` // the median
	P99 Num `json:"p99"` // 99 % waited at most this
	Max Num `json:"max"` // the longest
}

// A GeneratorTick is the generator's health in one second.
type GeneratorTick struct {
	T        Num   `json:"t"`         // its beginning, an offset from t0
	CPU      Num   `json:"cpu"`       // cores that brunt used
	Steal    Num   `json:"steal"`     // share of the CPU time that the hypervisor took
	Pressure Num   `json:"pressure"`  // share of the time that tasks waited for a processor
	InFlight int64 `json:"in_flight"` // iterations under way at its end
}
