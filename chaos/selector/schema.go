package selector

import (
	"brunt/scenarios/syntax"
)

func (*Pick) Schema() syntax.Schema {
	return syntax.Schema{"anyOf": []any{
		syntax.Schema{"type": "integer", "minimum": 1},
		syntax.Schema{"type": "string", "pattern": `^(one|all|leader|follower|minority|quorum|[0-9]+|[0-9.]+%)$|\$\{`},
	}}
}
