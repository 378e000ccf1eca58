package dns

import (
	"brunt/scenarios/check"
	"brunt/scenarios/syntax"
)

func (*answerCheck) Schema() syntax.Schema {
	match := (*check.Matcher)(nil).Schema()
	one := syntax.Schema{"type": []any{"string", "integer"}, "examples": []any{"NOERROR", "NXDOMAIN", "SERVFAIL", 3}}
	list := syntax.OneOrList(one)
	return check.AnswerSchema(syntax.Schema{
		"rcode":      list.Described("response codes that are ok, or a list; default: NOERROR"),
		"shed":       list.Described("response codes that refuse a request on purpose: neither good nor an error"),
		"answers":    match.Described("how many records the answer section has: a number, > n"),
		"authority":  match.Described("how many records the authority section has"),
		"additional": match.Described("how many records the additional section has, without that of EDNS"),
	}, "the answer as JSON", "the value at a path in the answer, such as $.answers[0].data, which has also name, type "+
		"and ttl; $.authoritative, $.truncated, $.recursion and $.authenticated are its flags")
}

func (*extraction) Schema() syntax.Schema {
	return syntax.Schema{"type": "string", "pattern": `^\$`, "examples": []any{"$.answers[0].data", "$.answers[0].ttl"}}
}
