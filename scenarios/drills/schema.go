package drills

import (
	"embed"
	"reflect"

	"brunt/scenarios/syntax"
)

// Source is the source text of this package. The comments of its settings become the descriptions in the JSON Schema.
//
//go:embed *.go
var Source embed.FS

// Schema is the schema of a drill file.
func Schema(doc syntax.Describer) syntax.Schema {
	return syntax.StructSchema(reflect.TypeFor[Drill](), doc)
}

// mapSchema is the schema of a map of names to items.
func mapSchema(item syntax.Schema) syntax.Schema {
	return syntax.Schema{
		"type": []any{"object", "null"}, "propertyNames": syntax.NameSchema(), "additionalProperties": item,
	}
}
