package sql

import (
	"brunt/scenarios/check"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

func (*answerCheck) Schema() syntax.Schema {
	match := (*check.Matcher)(nil).Schema()
	one := syntax.Schema{"type": []any{"string", "integer"}, "examples": []any{"40001", "23505", "53", 1213}}
	list := syntax.Schema{"anyOf": []any{one, syntax.Schema{"type": "array", "items": one}}}
	return syntax.Schema{
		"type": "object",
		"properties": syntax.Schema{
			returnedRows: match.Described("how many rows the statement returns: a number, > n"),
			affectedRows: match.Described("how many rows it inserts, updates, deletes or copies"),
			"allow": list.Described("errors that are ok, or a list: the SQLSTATE of PostgreSQL or its class, the number " +
				"of MySQL; default: none"),
			"shed":   list.Described("errors that refuse a request on purpose: neither good nor an error"),
			"within": (*quantity.Duration)(nil).Schema().Described("the longest response time"),
			"schema": check.SchemaOf("the list of rows"),
		},
		"patternProperties": syntax.Schema{
			`^\$`: match.Described("the value at a path in the rows, such as $[0].total for the column total of the first " +
				"row: " + check.PathForms),
		},
		"additionalProperties": false,
	}
}

func (*extraction) Schema() syntax.Schema {
	return syntax.Schema{"type": "string", "pattern": `^\$`, "examples": []any{"$[0].id", "$"}}
}
