package chaos

import (
	"reflect"

	"brunt/scenarios/syntax"
)

// Schema implements [syntax.Schemer].
func (*Pick) Schema() syntax.Schema {
	return syntax.Schema{"anyOf": []any{
		syntax.Schema{"type": "integer", "minimum": 1},
		syntax.Schema{"type": "string", "pattern": `^(one|all|leader|[0-9]+|[0-9.]+%)$|\$\{`},
	}}
}

// Schema implements [syntax.Schemer].
func (*Command) Schema() syntax.Schema {
	return syntax.Schema{"anyOf": []any{
		syntax.Schema{"type": "string", "minLength": 1, "examples": []any{"kubectl rollout undo deployment/db"}},
		syntax.Schema{"type": "array", "minItems": 1, "items": syntax.TextSchema(), "examples": []any{[]any{"pg_ctl", "promote"}}},
	}}
}

// Schema implements [syntax.Schemer].
func (*Offset) Schema() syntax.Schema {
	return syntax.Schema{"type": "string", "pattern": `^[-+]?([0-9.]+(ns|us|µs|ms|s|m|h))+$|\$\{`, "examples": []any{"-1h", "90s"}}
}

// SchemaWith implements [syntax.DescribedSchemer].
func (*Probe) SchemaWith(doc syntax.Describer) syntax.Schema {
	forms := (*Command)(nil).Schema()["anyOf"].([]any)
	return syntax.Schema{"anyOf": append(forms, syntax.SchemaOf(reflect.TypeFor[Asking](), doc))}
}

// SchemaWith implements [syntax.DescribedSchemer].
func (*revertCall) SchemaWith(doc syntax.Describer) syntax.Schema {
	return syntax.Schema{"anyOf": []any{syntax.Schema{"const": noRevert}, syntax.SchemaOf(reflect.TypeFor[Call](), doc)}}
}
