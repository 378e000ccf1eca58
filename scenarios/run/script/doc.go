// Package script runs the k6 scripts of a plan: each is a process of its own, brunt-k6, that reports
// every request to brunt.
//
//	Set.Start --> process, one per script: init code, setup ... ready
//	              '-> Script --Go----------> load begins, runs, ends
//	                    ^ messages           '-> teardown, exit
//	                    '--requests--> recorder;  metrics, thresholds, marks --> result
//
// A [Set] holds the scripts of a run. A [Script] is a [driver.Job], like other drivers' loads. Its parts are a
// [k6.Handler] for the messages of their processes. The target of a script, its recorder and the faults that it may
// request come from a [Host].
package script
