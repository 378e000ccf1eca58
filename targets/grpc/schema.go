package grpc

import (
	"brunt/scenarios/check"
	"brunt/scenarios/syntax"
	"brunt/targets/grpc/status"
)

func (*answerCheck) Schema() syntax.Schema {
	match := (*check.Matcher)(nil).Schema()
	codes := syntax.OneOrList(syntax.Enum(status.Names()))
	return check.AnswerSchema(syntax.Schema{
		"status": codes.Described("a status such as NOT_FOUND, or a list; default: OK"),
		"shed":   codes.Described("statuses that refuse a request on purpose: neither good nor an error"),
		"metadata": syntax.Schema{
			"type": "object", "additionalProperties": match,
		}.Described("values by name, of headers and trailers"),
	}, "the message as JSON", "the value at a path of the message as JSON")
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
