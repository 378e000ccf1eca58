package drills

import (
	"reflect"

	"brunt/scenarios/syntax"
)

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
