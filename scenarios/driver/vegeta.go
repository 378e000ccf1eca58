package driver

import (
	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/vegeta"
)

// attacker makes requests with vegeta's attacker.
func attacker() Descriptor {
	return Descriptor{
		Engine: "vegeta", Version: vegeta.Name,
		Check: checkVegeta, Unkept: "vegeta", At: "engine",
		Prepare: prepareVegeta,
	}
}

// checkVegeta refuses loads with virtual users, flows of several steps and replayed logs.
func checkVegeta(d *Draft) {
	l, m := d.Load, d.Mistakes
	at := l.Of("engine")
	vegeta.CheckLoad(l, m)
	if l.Executor == scenarios.Replay {
		m.AddHint(at, "leave `engine` out", "vegeta replays no log")
		return
	}
	if d.Schedule.Closed() {
		m.AddHint(at, "such as executor: constant-arrival-rate",
			"vegeta follows a rate: load %q has executor %s, which has virtual users", l.Name, l.Executor)
	}
	for i, mixed := range l.Mix {
		if i > 0 || len(mixed.Flow) > 1 || len(mixed.Flow) == 1 && mixed.Flow[0].Think != nil {
			m.AddHint(at, "vegeta makes the requests of a targets file, or the one of a flow of one step",
				"vegeta follows no flow of several steps, as load %q has one", l.Name)
			return
		}
	}
	for _, mixed := range l.Mix {
		if len(mixed.Flow) == 1 && mixed.Flow[0].At != nil {
			m.AddHint(mixed.Flow[0].At.Pos, "leave `engine` out", "vegeta asks the target's own URL alone, and no endpoint")
			return
		}
	}
	for _, f := range d.Flows {
		for _, s := range f.Steps {
			if s.Call == nil {
				continue
			}
			if why := vegeta.CheckCall(s.Call); why != "" {
				m.Add(at, "vegeta can't make the request %q: %s", s.Call.Name(), why)
				return
			}
		}
	}
}

// prepareVegeta passes the single request of every flow to vegeta.
func prepareVegeta(s *Setup) (Job, targets.Transport, error) {
	o := vegeta.EngineOptions{MaxInFlight: s.Run.MaxInFlight, Env: s.Run.Env, Vars: s.Run.Vars, Nth: s.Run.Part.Nth}
	for _, f := range s.Run.Flows {
		o.Calls, o.Steps = append(o.Calls, f.Steps[0].Call), append(o.Steps, f.Steps[0].Index)
	}
	engine, err := vegeta.New(s.Target, o)
	if err != nil {
		return nil, nil, err
	}
	s.Run.Abort, s.Run.Engine = engine.Abort, engine
	return s.Run, engine, nil
}
