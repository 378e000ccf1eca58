package redis

import (
	"brunt/scenarios/check"
	"brunt/scenarios/syntax"
)

func (*answerCheck) Schema() syntax.Schema {
	one := syntax.Schema{"type": "string", "pattern": `^\S+$`, "examples": []any{"BUSY", "LOADING"}}
	words := syntax.OneOrList(one)
	return check.AnswerSchema(syntax.Schema{
		"allow": words.Described("errors that are ok, by their first word, or a list, such as BUSYGROUP; default: none"),
		"shed":  words.Described("errors that refuse a request on purpose: neither good nor an error"),
	}, "the answer, or the JSON in it if it is a text,", "the value at a path in the answer, where $ is the whole answer")
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
