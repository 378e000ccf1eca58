package sql

import (
	"brunt/scenarios/check"
	"brunt/scenarios/syntax"
)

func (*answerCheck) Schema() syntax.Schema {
	match := (*check.Matcher)(nil).Schema()
	one := syntax.Schema{"type": []any{"string", "integer"}, "examples": []any{"40001", "23505", "53", 1213}}
	list := syntax.OneOrList(one)
	return check.AnswerSchema(syntax.Schema{
		returnedRows: match.Described("how many rows the statement returns: a number, > n"),
		affectedRows: match.Described("how many rows it inserts, updates, deletes or copies"),
		"allow": list.Described("errors that are ok, or a list: the SQLSTATE of PostgreSQL or its class, the number " +
			"of MySQL; default: none"),
		"shed": list.Described("errors that refuse a request on purpose: neither good nor an error"),
	}, "the list of rows", "the value at a path in the rows, such as $[0].total for the column total of the first "+
		"row")
}

func (*extraction) Schema() syntax.Schema {
	return syntax.Schema{"type": "string", "pattern": `^\$`, "examples": []any{"$[0].id", "$"}}
}
