package docker

import (
	"testing"

	"github.com/moby/moby/api/types/events"
)

// TestEventOf checks that the state of a health check, and nothing else, is the health of an event.
func TestEventOf(t *testing.T) {
	for _, c := range []struct{ action, kind, text, health string }{
		{"health_status: unhealthy", "health_status", "unhealthy", "unhealthy"},
		{"health_status: healthy", "health_status", "healthy", "healthy"},
		{"die", "die", "exit code 3", ""},
		{"pause", "pause", "", ""},
	} {
		t.Run(c.action, func(t *testing.T) {
			e := eventOf(events.Message{
				Type: events.ContainerEventType, Action: events.Action(c.action),
				Actor: events.Actor{ID: "1", Attributes: map[string]string{"name": "web", "exitCode": "3"}},
			})
			if e.Kind != c.kind || e.Text != c.text || e.Health != c.health || e.Name != "web" {
				t.Errorf("%+v", e)
			}
		})
	}
}
