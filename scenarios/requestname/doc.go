// Package requestname names requests without a name by their method and path. Ids in a path
// become :id, so that requests for different items count as one step.
//
//	GET /posts/17?page=2 --Of--> GET /posts/:id
//	names of a log --Set.Count--> the most frequent ones; the others share a name by method
//
// To recognize another form of id, add it to isID and its cases to the test.
package requestname
