package grpc

import (
	"brunt/scenarios/check"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/targets/grpc/status"
)

func (*answerCheck) Schema() syntax.Schema {
	match := (*check.Matcher)(nil).Schema()
	one := syntax.Enum(status.Names())
	codes := syntax.Schema{"anyOf": []any{one, syntax.Schema{"type": "array", "items": one}}}
	return syntax.Schema{
		"type": "object",
		"properties": syntax.Schema{
			"status": codes.Described("a status such as NOT_FOUND, or a list; default: OK"),
			"shed":   codes.Described("statuses that refuse a request on purpose: neither good nor an error"),
			"within": (*quantity.Duration)(nil).Schema().Described("the longest response time"),
			"metadata": syntax.Schema{
				"type": "object", "additionalProperties": match,
			}.Described("values by name, of headers and trailers"),
			"schema": check.SchemaOf("the message as JSON"),
		},
		"patternProperties": syntax.Schema{`^\$`: match.Described("the value at a path of the message as JSON: " +
			check.PathForms)},
		"additionalProperties": false,
	}
}

func (*extraction) Schema() syntax.Schema {
	return syntax.Schema{
		"type": "string", "pattern": `^(\$|metadata )`, "examples": []any{"$.items[0].id", "metadata x-request-id"},
	}
}

func (*messageMatch) Schema() syntax.Schema {
	return syntax.Schema{
		"type": "object", "patternProperties": syntax.Schema{`^\$`: (*check.Matcher)(nil).Schema()},
		"additionalProperties": false, "minProperties": 1,
	}
}

func (*messageSource) Schema() syntax.Schema { return syntax.Schema{} }
