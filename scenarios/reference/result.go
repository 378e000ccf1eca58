package reference

import (
	"embed"

	"brunt/scenarios"
)

// ResultSchema is the JSON Schema of result.json.
func ResultSchema() scenarios.Schema { return scenarios.ResultSchema(published()) }

// EventSchema is the JSON Schema of a line of events.jsonl.
func EventSchema() scenarios.Schema { return scenarios.EventSchema(published()) }

func published() scenarios.Describer {
	return describer(map[string]embed.FS{"brunt/scenarios": scenarios.Source})
}
