// Package reference says what there is to write and to read: the JSON Schemas of scenarios, policies,
// results and events, what `brunt explain` prints, and the README.md files of scenarios/, chaos/,
// targets/, reporters/ and examples/.
//
//	types of the packages --reflection--> schema -+
//	sources (go:embed)    --comments----> description
//	                                              +-> New -> Reference -> Explain: text for a terminal
//	glossary.go, metrics.go, topics/*.md ---------+                    -> Files: the README.md files
//
// Each schema follows the Go type that reads or writes the file; descriptions are the comments of
// its fields. A new kind of fault, executor, protocol or target appears by itself, since the
// schema asks each package for its Kinds.
//
// What no field holds, such as the terms of a report, is in glossary.go and metrics.go. What needs examples is a
// topic: a file of topics/, whose first line is its title. To add a topic, add a file and name it in the page that
// it belongs to, in files.go.
package reference
