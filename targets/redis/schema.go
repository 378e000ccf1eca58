package redis

import (
	"brunt/scenarios/check"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

func (*answerCheck) Schema() syntax.Schema {
	match := (*check.Matcher)(nil).Schema()
	one := syntax.Schema{"type": "string", "pattern": `^\S+$`, "examples": []any{"BUSY", "LOADING"}}
	words := syntax.Schema{"anyOf": []any{one, syntax.Schema{"type": "array", "items": one}}}
	return syntax.Schema{
		"type": "object",
		"properties": syntax.Schema{
			"allow":  words.Described("errors that are ok, by their first word, or a list, such as BUSYGROUP; default: none"),
			"shed":   words.Described("errors that refuse a request on purpose: neither good nor an error"),
			"within": (*quantity.Duration)(nil).Schema().Described("the longest response time"),
			"schema": check.SchemaOf("the answer, or the JSON in it if it is a text,"),
		},
		"patternProperties": syntax.Schema{
			`^\$`: match.Described("the value at a path in the answer, where $ is the whole answer: " + check.PathForms),
		},
		"additionalProperties": false,
	}
}

func (*extraction) Schema() syntax.Schema {
	return syntax.Schema{"type": "string", "pattern": `^\$`, "examples": []any{"$", "$[0]", "$.total"}}
}

func (*commandSource) Schema() syntax.Schema {
	command := syntax.Schema{"type": "array", "minItems": 1, "items": syntax.TextSchema()}
	several := syntax.Schema{"type": "array", "minItems": 1, "items": command}
	return syntax.Schema{"anyOf": []any{command, syntax.Schema{
		"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false,
		"properties": syntax.Schema{
			"pipeline": several.Described("commands that are sent at once; each is a part with rows and objectives of its own"),
			"multi":    several.Described("commands of a transaction, between MULTI and EXEC; $ is the list of their answers"),
		},
	}}}
}
