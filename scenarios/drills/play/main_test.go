package play

import (
	"os"
	"testing"

	"brunt/scenarios/suite"
)

func TestMain(m *testing.M) { os.Exit(suite.Loading(m).Run()) }
