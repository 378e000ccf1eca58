package impact

import (
	"flag"
	"time"
)

const (
	ms  = time.Millisecond
	sec = time.Second
)

// simulations runs all trials of the simulations; without it a tenth runs.
var simulations = flag.Bool("simulations", false, "make all trials of the simulations")
