package kafka

import (
	"brunt/scenarios/check"
	"brunt/scenarios/syntax"
)

func (*answerCheck) Schema() syntax.Schema {
	match := (*check.Matcher)(nil).Schema()
	one := syntax.Schema{"type": []any{"string", "integer"}, "examples": []any{"NOT_ENOUGH_REPLICAS", 19}}
	list := syntax.OneOrList(one)
	s := check.AnswerSchema(syntax.Schema{
		"allow":     list.Described("error codes of Kafka that are ok, by name or number, or a list; default: none"),
		"shed":      list.Described("error codes that refuse a record on purpose: neither good nor an error"),
		"partition": match.Described("the partition of the record that was written, or of the last one that was read"),
		"offset":    match.Described("the offset of that record"),
		"key":       match.Described("the key of that record"),
	}, "the value of the last record that was read", "the value at a path: in the JSON of the last record that was read; "+
		"in {topic, partition, offset} of one that was written; or of kafka.lag, in {lag, partitions: [{partition, "+
		"committed, end, lag}]}")
	s["patternProperties"].(syntax.Schema)[`^header .`] = match.Described("the value of a header of that record, such " +
		"as `header trace`")
	return s
}

func (*extraction) Schema() syntax.Schema {
	return syntax.Schema{
		"type": "string", "pattern": `^(\$|partition$|offset$|key$|header .)`,
		"examples": []any{"$.id", "offset", "key", "header trace"},
	}
}

func (*recordMatch) Schema() syntax.Schema {
	return syntax.Schema{
		"type": "object", "minProperties": 1, "additionalProperties": false,
		"patternProperties": syntax.Schema{
			`^\$`: (*check.Matcher)(nil).Schema().Described("the value at a path in the JSON of the record: " + check.PathForms),
		},
	}
}
