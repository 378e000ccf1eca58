package run

import "fmt"

// Share makes the plan's loads begin only a part of their iterations, in time as the whole
// would: for two sides that are loaded at once.
func (p *Plan) Share(part float64) error {
	for i := range p.Loads {
		l := &p.Loads[i]
		if l.Schedule.Closed() {
			return fmt.Errorf("load %q is closed: its users can't be halved; executors with arrivals can", l.Name)
		}
		l.Schedule.Rate = l.Schedule.Rate.Scaled(part)
	}
	return nil
}
