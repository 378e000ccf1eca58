package observe

import (
	"errors"
	"time"

	"brunt/chaos/probe"
)

// Played is an observer of one alert with recorded answers, for tests. states has a character for each second from -2
// s on: . inactive, p pending, F firing, S silenced, x no answer. t0 is the start of the run.
func Played(name, states string, t0 time.Time) *Observer {
	a, _ := played(states)
	a.plan.Name = name
	o := &Observer{run: *a.run, alerts: []*alertWatch{a}}
	o.run.T0, a.run = t0, &o.run
	return o
}

// played returns an alert with recorded answers. states has a character for each second from -2 s on: . inactive, p
// pending, F firing, S silenced, x no answer.
func played(states string) (*alertWatch, []string) {
	a := &alertWatch{
		run:  &Run{T0: time.Unix(1000, 0), Mask: func(s string) string { return s }},
		plan: Alert{Name: "High", Alert: new(probe.Alert)},
	}
	var events []string
	for i, s := range states {
		at := time.Duration(i-2) * time.Second
		one := alertAnswer{begin: at, end: at + 100*time.Millisecond}
		is := probe.AlertState{For: time.Minute}
		switch s {
		case 'p':
			is.Pending, is.Active = true, a.run.T0.Add(at-200*time.Millisecond)
		case 'F', 'S':
			is.Firing, is.Silenced, is.Text = true, s == 'S', "here"
		case 'x':
			one.err = errors.New("no route")
		}
		one.firing, one.text = is.Firing, is.Text
		for _, e := range a.take(one, is) {
			events = append(events, e.Event)
		}
	}
	return a, events
}
