package stress

import (
	"time"

	"brunt/chaos/vdso"
)

// run reads the clock with the code that the other process uses for it.
func (c *Clock) run(to *reporter) error {
	image, err := vdso.Image(c.PID)
	if err != nil {
		return err
	}
	if err := vdso.Become(image); err != nil {
		return err
	}
	to.send(Report{Now: time.Now()})
	return nil
}
