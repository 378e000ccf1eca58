package process

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"brunt/chaos"
	"brunt/chaos/proc"
	"brunt/chaos/vdso"
)

// findShifted finds the processes whose clock is shifted: the code with which they read the clock differs from the
// kernel's.
func findShifted(_ context.Context, s *chaos.Search) ([]chaos.Remnant, error) {
	given, err := vdso.Image(os.Getpid())
	if err != nil {
		return nil, nil // no clock is shifted on a machine without such code
	}
	var out []chaos.Remnant
	for _, pid := range s.PIDs {
		id, err := proc.Identify(pid)
		if err != nil || proc.IsZombie(pid) {
			continue
		}
		image, err := vdso.Image(pid)
		if err != nil || len(image) != len(given) { // the process is of another architecture, or has no such code
			continue
		}
		patch, offset, same := vdso.Found(given, image)
		if same || !id.Alive() {
			continue
		}
		r := chaos.Remnant{PID: pid}
		if patch == nil {
			r.What = fmt.Sprintf("process %d (%s) reads the clock by code that is not the kernel's", pid,
				proc.ProcessOf(pid).Name)
			r.Why = "time.skew writes such code, and this is not brunt's; it ends with the process"
		} else {
			args, _ := json.Marshal(patch)
			r.What = fmt.Sprintf("the clock of process %d (%s) is %s", pid, proc.ProcessOf(pid).Name, offText(offset))
			r.Why = "it reads the clock by the code that time.skew writes, byte for byte; it ends with the process too"
			r.Sure, r.Undo = true, chaos.Undo{Op: opClock, Args: args, Identity: id.Raw()}
		}
		out = append(out, r)
	}
	return out, nil
}
