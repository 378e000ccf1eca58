// Package site shows the results of runs as a site: a list of runs, the page of each run, comparisons of two runs,
// and each objective over the runs of a scenario. It only reads.
//
//	folders -find-> entry, one for each result.json
//	        -Server-> HTTP, drawn on request
//	        -Write->  files, for a host of static pages
package site
