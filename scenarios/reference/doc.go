// Package reference makes the reference of brunt from its code: the JSON Schemas of
// scenarios, policies, results and events. Each schema follows the Go type that reads or
// writes the file; descriptions are the comments of its fields.
//
//	types of the packages --reflection--> schema
//	sources (go:embed)    --comments----> description
//
// A new kind of fault, executor, protocol or target appears by itself, since the schema
// asks each package for its Kinds.
package reference
