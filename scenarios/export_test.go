package scenarios

// Names that the external tests use.

const FixedCauses = fixedCauses

const MaxSeed = maxSeed

var ParseAck = parseAck

const ScenarioName = scenarioName

// Names that the external tests use.
const (
	MostCounted = mostCounted
	MostName    = mostName
	MostNames   = mostNames
)
