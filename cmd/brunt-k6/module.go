package main

import (
	"errors"
	"fmt"
	"time"

	"brunt/scenarios/k6"

	"github.com/grafana/sobek"
	"go.k6.io/k6/js/modules"
)

// module is k6/x/brunt.
type module struct{ link *link }

var _ modules.Module = (*module)(nil)

// instance is the module in one virtual user.
type instance struct {
	vu   modules.VU
	link *link
}

// iterStart is k6's event at the start of an iteration; k6 does not export its type.
const iterStart = 4

func (m *module) NewModuleInstance(vu modules.VU) modules.Instance {
	i := &instance{vu: vu, link: m.link}
	if vu.State() == nil && m.link.begin != nil {
		id, events := vu.Events().Local.Subscribe(iterStart)
		go func() {
			e, ok := <-events
			if !ok {
				return
			}
			if err := i.arm(); err != nil {
				vu.State().Logger.Error(err)
			}
			e.Done()
			vu.Events().Local.Unsubscribe(id)
		}()
	}
	return i
}

func (i *instance) Exports() modules.Exports {
	named := map[string]any{
		"fault": i.fault, "phase": i.phase, "mark": i.mark,
		"_options": i.options, "_arm": i.arm, "_begin": i.begin, "_data": i.data, "_last": i.last,
	}
	return modules.Exports{Default: named, Named: named}
}

// alone reports whether brunt did not start this process.
func (i *instance) alone() bool { return i.link.begin == nil }

// options changes the script's options as the scenario requires.
func (i *instance) options(own string) (string, error) {
	if !i.alone() && !i.link.bound {
		return "", errors.New("this k6 does not let brunt see which files the script opens")
	}
	b, err := i.link.config.Change.Apply([]byte(own))
	if err == nil && i.link.config.Part.Divided() {
		b, err = k6.PartOptions(b)
	}
	return string(b), err
}

func (i *instance) arm() error { return arm(i.vu, i.link) }

// begin reports that setup is over, with its data as JSON, and waits until the load may begin.
func (i *instance) begin(data string) error {
	if i.alone() {
		return nil
	}
	n := k6.Note{Ready: true}
	if i.link.config.Part.Divided() {
		if len(data) > k6.MostData {
			return fmt.Errorf("with workers setup returns at most %d MiB, and this one %d bytes", k6.MostData>>20, len(data))
		}
		n.Data = data
	}
	i.link.stream.Note(n)
	return i.await(i.link.begin)
}

// await waits for one of brunt's commands.
func (i *instance) await(command <-chan struct{}) error {
	select {
	case <-command:
		return nil
	case <-i.vu.Context().Done():
		return i.vu.Context().Err()
	}
}

// data returns the data that setup returned in the first part of a divided script. Other parts wait for it. The first
// part gets nil, because it runs its own setup.
func (i *instance) data() (*string, error) {
	if i.alone() || i.link.config.Part.Index == 0 {
		return nil, nil
	}
	if err := i.await(i.link.received); err != nil {
		return nil, err
	}
	data := i.link.setup()
	return &data, nil
}

// last reports whether this part runs teardown. If so, it first waits until all other parts have ended.
func (i *instance) last() (bool, error) {
	switch p := i.link.config.Part; {
	case i.alone() || !p.Divided():
		return true, nil
	case p.Index > 0:
		return false, nil
	}
	return true, i.await(i.link.last)
}

var errInit = errors.New("k6/x/brunt can't be used in the init code: load does not flow yet")

// fault triggers a fault of the scenario that has `trigger: script`. It returns when brunt has
// accepted the request, before the fault is active: true, or false in a control run.
func (i *instance) fault(name string) (bool, error) {
	if i.vu.State() == nil {
		return false, errInit
	}
	if i.alone() {
		return false, nil
	}
	select {
	case a := <-i.link.ask(name):
		if a.Refused != "" {
			return false, fmt.Errorf("fault(%q): %s", name, a.Refused)
		}
		return !a.Control, nil
	case <-i.vu.Context().Done():
		return false, i.vu.Context().Err()
	}
}

// phase returns the names of the active faults, or an empty text. With a name it records the
// start of a phase of the script.
func (i *instance) phase(name sobek.Value) (string, error) {
	if name != nil && !sobek.IsUndefined(name) && !sobek.IsNull(name) {
		if err := i.note(&k6.Mark{Phase: true, Text: name.String()}); err != nil {
			return "", err
		}
	}
	return i.link.inPhase(), nil
}

// mark records an event of the script, with optional data.
func (i *instance) mark(text string, data map[string]any) error {
	return i.note(&k6.Mark{Text: text, Data: data})
}

func (i *instance) note(m *k6.Mark) error {
	if i.vu.State() == nil {
		return errInit
	}
	if i.alone() {
		return nil
	}
	m.At = i.link.stream.At(time.Now())
	if err := m.Check(); err != nil {
		return err
	}
	i.link.stream.Note(k6.Note{Mark: m})
	return nil
}
