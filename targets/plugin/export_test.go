package plugin

import "brunt/scenarios"

// Causes are the causes of statuses.
var Causes = causes

// SetEndpoint gives a compiled call the endpoint that the scenario of the suite does not have.
func SetEndpoint(c scenarios.Call, argv, env []string) { c.(*call).by = &endpoint{argv, env} }
