package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"
)

// An Event is something that happened to a container.
type Event struct {
	At time.Time // by the engine's clock; the event may arrive up to about 30 ms later
	// start, die, oom, restart, pause, unpause, health_status, destroy; connect and disconnect belong to a network
	Kind   string
	ID     string // of the container
	Name   string // empty with connect and disconnect
	Text   string // details: an exit code, a health state, a network's name
	Health string // with health_status: the new state, such as healthy or unhealthy
	Labels map[string]string
}

// kinds are the kinds of event that [Engine.Events] reports.
var kinds = []events.Action{
	events.ActionStart, events.ActionDie, events.ActionOOM, events.ActionRestart, events.ActionPause, events.ActionUnPause,
	events.ActionHealthStatus, events.ActionDestroy, events.ActionConnect, events.ActionDisconnect,
}

// Events calls f for each event of a container since a time, one after the other. It returns when ctx ends, or with
// an error when the engine closes the connection.
func (e *Engine) Events(ctx context.Context, since time.Time, f func(Event)) error {
	if err := e.Ping(ctx); err != nil {
		return err
	}
	filter := client.Filters{}.Add("type", string(events.ContainerEventType), string(events.NetworkEventType))
	for _, k := range kinds {
		filter.Add("event", string(k))
	}
	o := client.EventsListOptions{Filters: filter}
	if !since.IsZero() {
		o.Since = stamp(since)
	}
	stream := e.api.Events(ctx, o)
	for {
		select {
		case m := <-stream.Messages:
			if is := eventOf(m); is.ID != "" {
				e.noteEnd(is)
				f(is)
			}
		case err := <-stream.Err:
			if ctx.Err() != nil {
				return nil
			}
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return fmt.Errorf("the engine tells of no more events: %w", err)
		}
	}
}

// stamp formats a time for the engine.
func stamp(t time.Time) string { return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond()) }

// Last returns the time of the last event of a kind about a container since a time, by the engine's clock. It is zero
// if the engine tells of none: it keeps only its latest events.
func (e *Engine) Last(ctx context.Context, kind, id string, since time.Time) (last time.Time) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	stream := e.api.Events(ctx, client.EventsListOptions{
		Filters: client.Filters{}.Add("event", kind), Since: stamp(since), Until: stamp(time.Now()),
	})
	for {
		select {
		case m := <-stream.Messages:
			if is := eventOf(m); is.ID == id {
				last = is.At
			}
		case <-stream.Err:
			return last
		}
	}
}

// noteEnd keeps the event of the end of a container until it is started again or removed.
func (e *Engine) noteEnd(is Event) {
	switch is.Kind {
	case string(events.ActionDie):
		e.died.Store(is.ID, is)
	case string(events.ActionStart), string(events.ActionDestroy):
		e.died.Delete(is.ID)
	}
}

// Ended returns the exit code of a container that was started at a time of the engine's clock, if [Engine.Events] told
// that it has ended and is down. If ok is false, that is not known.
func (e *Engine) Ended(id string, started time.Time) (exit int, ok bool) {
	is, told := e.died.Load(id)
	if !told || !is.(Event).At.After(started) {
		return 0, false
	}
	exit, err := strconv.Atoi(is.(Event).Labels["exitCode"])
	return exit, err == nil
}

// eventOf converts a message. An Event without an ID means that the message is not about a container.
func eventOf(m events.Message) Event {
	kind, text, _ := strings.Cut(string(m.Action), ": ")
	a := m.Actor.Attributes
	if m.Type == events.NetworkEventType {
		return Event{At: time.Unix(0, m.TimeNano), Kind: kind, ID: a["container"], Text: a["name"]}
	}
	out := Event{At: time.Unix(0, m.TimeNano), Kind: kind, ID: m.Actor.ID, Name: a["name"], Text: text, Labels: a}
	if kind == string(events.ActionHealthStatus) {
		out.Health = text
	}
	if code := a["exitCode"]; code != "" && kind == string(events.ActionDie) {
		out.Text = "exit code " + code
	}
	return out
}
