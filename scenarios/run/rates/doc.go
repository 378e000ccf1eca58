// Package rates probes the target of a scenario at rates, for `brunt find`.
//
//	capacity.Find --Probe(rate)--> Prober --one run at the rate--> result
//	      ^                                                          '-> holds, breaks, limited
//	      '-----------------------------answer-----------------------------------'
//
// Package capacity chooses the rates. A [Prober] makes a run of each, with the scenario's flows in
// their proportions, and decides by its result whether the target sustains the rate.
package rates
