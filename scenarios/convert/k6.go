package convert

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"brunt/scenarios/convert/draft"
)

// k6Converter returns the converter for k6 scripts.
func k6Converter() draft.Converter {
	return draft.Converter{
		Name: "k6", Source: "a k6 script", Convert: k6Convert,
		Doc: "a load that runs it as it is, to which faults can be added",
	}
}

// k6Convert makes a scenario that runs the script unchanged, with its own scenarios, checks and
// thresholds. The user adds faults by hand.
func k6Convert(d *draft.Builder, source []byte) error {
	if !utf8.Valid(source) || bytes.IndexByte(source, 0) >= 0 {
		return fmt.Errorf("%s: want a script of k6, which is a text", d.O.File)
	}
	program, line, err := d.ParseScript(string(source), true)
	if err != nil && !errors.Is(err, draft.ErrTypes) {
		return err
	}
	if !bytes.Contains(source, []byte("export")) {
		return fmt.Errorf("%s: want a script of k6, with an export that k6 runs, such as export default function", d.O.File)
	}
	d.ScriptHosts(source)
	if err == nil {
		d.ScriptOptions(draft.VariablesOf(program, func(any) {}), line)
	} else { // k6 itself removes the types
		d.Tell(0, "a script with types: its options are not read. Name the addresses of hosts under guard.allow.load, and "+
			"take the objective away if it has thresholds")
	}
	load := d.Script()
	load.Say("The script runs in k6 with its own scenarios, checks and thresholds; `rate`, `vus` and `duration` beside " +
		"k6 override its options.")
	d.Load.Set(d.ScriptName(), load)
	return nil
}
