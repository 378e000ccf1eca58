// Package spark draws small pictures of a stretch of a run: response times and bad requests over time, as
// SVG for the page and as a row of characters for a terminal.
//
//	result.Window -> Series -> Line, Area    paths of an SVG
//	                        -> Rows          ▁▂▃▅▇ in a terminal
package spark
