// Package reference generates the reference: the JSON Schemas of scenarios, policies, drills, results and
// events, the output of `brunt explain`, and the README.md files of scenarios/, chaos/, targets/,
// reporters/ and examples/.
//
//	types of the packages --reflection--> schema -+
//	their source          --comments----> description
//	                                              +-> New -> Reference -> Explain: text for a terminal
//	packages result and judge, topics/*.md --------+                    -> Files: the README.md files
//
// Each schema follows the Go type that reads or writes the file, and descriptions are the comments of its fields. A
// new kind of fault, executor, protocol or target is included automatically, because the schema asks each package for
// its Kinds.
//
//	reference.go  New and Explain; text.go wraps the text of Explain
//	schema.go     the schemas of scenarios, policies and drills
//	comments.go   the comments of types and fields, from their source
//	index.go      the finished reference as one text, from which a program reads the entries that it needs
//	entry.go      the entries that can be explained, and how they are found
//	outline.go    the keys that are possible at a place of a scenario, for editors
//	metrics.go    the metrics of objectives; protocols.go the protocols
//	files.go      the README.md files; drills.go their table of drills
//
// A subject that needs examples is a topic: a file in topics/, with its title in the first line. To add a topic, add
// a file and name it in files.go in the page that it belongs to.
package reference
