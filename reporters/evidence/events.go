package evidence

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"brunt/reporters"
	"brunt/scenarios/result"
)

// Events writes events.jsonl: the events on the run's clock, one JSON object per line, in the order of the result.
// Each line holds the hash of the line before it.
type Events struct{}

var _ reporters.Reporter = Events{}

const eventsFile = "events.jsonl"

func (Events) Format() reporters.Format {
	return reporters.Format{
		Name: "events", File: eventsFile, Evidence: true,
		About: "What happened during the run, one JSON object a line, each linked to the line before by its hash.",
	}
}

func (Events) Report(w io.Writer, r *result.Result) error {
	var c hashChain
	for _, e := range r.Events {
		line, err := c.line(e)
		if err != nil {
			return err
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}

func asText(data map[string]any) map[string]any {
	out := make(map[string]any, len(data))
	for k, v := range data {
		out[k] = fmt.Sprint(v)
	}
	return out
}

// readEvents parses a file written by Events.
func readEvents(r io.Reader) ([]result.Event, error) {
	var out []result.Event
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longestLine)
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var e result.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		out = append(out, e)
	}
	return out, lines.Err()
}

// longestLine bounds the lines that are read, in bytes.
const longestLine = 64 << 20
