package sql_test

import (
	"testing"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/dial"
	"brunt/targets/sql"
	"brunt/targets/sql/postgres"
	"brunt/targets/targetstest"
)

var steps = targetstest.Steps{
	Answer: "sql: answer", Slow: "sql: slow", Hold: "sql: hold", Marked: `{sql: hold $1, args: ["${var.mark}"]}`,
	Fail: "sql: fail", Cut: "sql: cut", Reset: "sql: reset",
}

func network(o *targets.Options) (targets.Network, error) { return dial.NewNetwork(o) }

func descriptor() *targets.Descriptor { return sql.Descriptor(postgres.Dialect()) }

// state is the cause of an error with a SQLSTATE.
func state(code string) scenarios.Cause { return sql.States().Cause(sql.State(code)) }

func TestSQL_Suite(t *testing.T) {
	targetstest.Run(t, targetstest.Suite{
		Protocol: descriptor(), Start: func(t testing.TB) targetstest.Server { return start(t, nil) }, Steps: steps,
		Failed: state("40001"), Network: network,
	})
}

func TestSQL_TLS_Suite(t *testing.T) {
	over := steps
	over.Reset = "" // the server's TLS cannot reset the connection
	targetstest.Run(t, targetstest.Suite{
		Protocol: descriptor(), Start: func(t testing.TB) targetstest.Server { return start(t, secure) }, Steps: over,
		Failed: state("40001"), Network: network,
	})
}
