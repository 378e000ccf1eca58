package push

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"brunt/reporters/metrics"
	"brunt/scenarios/result"
)

// mostAnswer bounds an answer of Grafana, in bytes.
const mostAnswer = 1 << 20

// grafana creates an annotation for each occurrence of a fault through Grafana's HTTP API: a point when the fault is
// injected, which becomes a region when it is cleared.
type grafana struct {
	client *http.Client
	out    Out
	run    Run
	open   map[string]*annotation // active faults, by occurrence
}

// Grafana is the kind of service that shows faults as annotations.
func Grafana() Kind {
	return Kind{
		Name: "grafana", Brief: "an annotation for each fault", Token: "GRAFANA_TOKEN", open: newGrafana,
		About: "Each fault becomes an annotation in Grafana, from its injection until it is cleared.",
	}
}

func newGrafana(o Out, run Run) encoder {
	return &grafana{client: o.client(&run), out: o, run: run, open: map[string]*annotation{}}
}

// An annotation is a fault's annotation in Grafana.
type annotation struct {
	*grafana
	Time int64    `json:"time"`              // milliseconds
	End  int64    `json:"timeEnd,omitempty"` // milliseconds; zero: the fault is still active
	Tags []string `json:"tags"`
	Text string   `json:"text"`
	id   int64    // assigned by Grafana; zero: not created yet
}

// An annotationUpdate creates an annotation or ends it.
type annotationUpdate struct {
	*annotation
	end int64
}

func (g *grafana) encode(t tick) batch {
	switch {
	case t.event == nil:
		return nil
	case t.event.Event == "fault.injected":
		return g.begin(t.event, t.at)
	case t.event.Event == "fault.cleared":
		if a := g.open[t.event.Fault]; a != nil {
			delete(g.open, t.event.Fault)
			return &annotationUpdate{a, t.at.UnixMilli()}
		}
	}
	return nil
}

func (g *grafana) begin(e *result.Event, at time.Time) batch {
	kind := g.run.Metrics.FaultKinds[metrics.EntryOf(e.Fault)]
	text := fmt.Sprintf("%s: %s", e.Fault, kind)
	if e.Unit != "" {
		text += " on " + e.Unit
	}
	a := &annotation{
		grafana: g, Time: at.UnixMilli(), Text: text + " (brunt, " + g.run.Scenario + ")",
		Tags: []string{"brunt", "run:" + g.run.Run, "fault:" + metrics.EntryOf(e.Fault), "kind:" + kind},
	}
	g.open[e.Fault] = a
	return &annotationUpdate{a, 0}
}

// last implements [encoder]. A fault whose clearing was not observed ends with the run.
func (g *grafana) last(at time.Time) batch {
	var all annotations
	for _, a := range g.open {
		all = append(all, &annotationUpdate{a, at.UnixMilli()})
	}
	if all == nil {
		return nil
	}
	return all
}

type annotations []*annotationUpdate

func (all annotations) send(ctx context.Context) error {
	for _, a := range all {
		if err := a.send(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (p *annotationUpdate) send(ctx context.Context) error {
	p.End = p.end
	to := p.out.plain().JoinPath("api", "annotations")
	if p.id == 0 { // new, or Grafana did not receive its creation
		var made struct{ ID int64 }
		if err := p.ask(ctx, http.MethodPost, to.String(), p.annotation, &made); err != nil {
			return err
		}
		p.id = made.ID
		return nil
	}
	return p.ask(ctx, http.MethodPatch, to.JoinPath(fmt.Sprint(p.id)).String(), map[string]int64{"timeEnd": p.End}, nil)
}

func (g *grafana) ask(ctx context.Context, method, to string, what, answer any) error {
	b, err := json.Marshal(what)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, to, bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := g.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if answer == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, mostAnswer)).Decode(answer); err != nil {
		return fmt.Errorf("the answer is not from Grafana: %w", err)
	}
	return nil
}
