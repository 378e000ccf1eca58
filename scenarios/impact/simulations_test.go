package impact

import (
	"flag"
	"time"
)

const (
	ms  = time.Millisecond
	sec = time.Second
)

// simulations makes every trial of the simulations; a tenth is made without it.
var simulations = flag.Bool("simulations", false, "make all trials of the simulations")
