package examples

import _ "embed"

// The JSON Schemas of brunt's files. A test writes them from the types of the code, so that no program has to make them
// again.
var (
	//go:embed brunt.schema.json
	ScenarioSchema []byte
	//go:embed brunt.policy.schema.json
	PolicySchema []byte
	//go:embed brunt.drill.schema.json
	DrillSchema []byte
	//go:embed result.schema.json
	ResultSchema []byte
	//go:embed event.schema.json
	EventSchema []byte
)
