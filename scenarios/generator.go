package scenarios

// Generator is the load generator's own health. Only lag counts against brunt.
type Generator struct {
	Lag         Lag             `json:"lag"`
	Queue       Lag             `json:"queue"`
	Offered     int64           `json:"offered"`
	Sent        int64           `json:"sent"`
	Healthy     bool            `json:"healthy"`
	Limits      []string        `json:"limits"` // what was hit, and what to do
	Pacing      string          `json:"pacing"`
	LagLimit    Num             `json:"lag_limit"` // p99 lag above it makes the run invalid
	Clamped     int64           `json:"clamped,omitempty"`
	CPU         Num             `json:"cpu"`    // of brunt: cores in the mean
	Memory      int64           `json:"memory"` // of brunt at most, bytes
	Steal       Num             `json:"steal"`  // share of CPU time that the hypervisor took
	Pressure    Num             `json:"pressure"`
	GCPauses    Num             `json:"gc_pauses"` // in all, seconds
	GCPauseMax  Num             `json:"gc_pause_max"`
	ClockSteps  int             `json:"clock_steps"`
	InFlightMax int64           `json:"in_flight_max"`
	Connections int64           `json:"connections"` // opened in all
	Spoken      []string        `json:"spoken"`      // the versions of the protocol that they really spoke
	Seconds     []GeneratorTick `json:"seconds,omitempty"`
}

// Lag is a distribution of waits in seconds.
type Lag struct {
	P50 Num `json:"p50"`
	P99 Num `json:"p99"`
	Max Num `json:"max"`
}

// A GeneratorTick is the generator's health in one second.
type GeneratorTick struct {
	T        Num   `json:"t"`
	CPU      Num   `json:"cpu"`
	Steal    Num   `json:"steal"`
	Pressure Num   `json:"pressure"`
	InFlight int64 `json:"in_flight"`
}
