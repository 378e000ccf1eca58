package reference

import (
	"embed"

	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

// Result is the JSON Schema of result.json.
func Result() syntax.Schema { return result.Schema(published()) }

// EventSchema is the JSON Schema of a line of events.jsonl.
func EventSchema() syntax.Schema { return result.EventSchema(published()) }

func published() syntax.Describer {
	return describer(map[string]embed.FS{"brunt/scenarios/result": result.Source})
}
