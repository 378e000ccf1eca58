// Package samples keeps requests that a report shows in full: the first failed request of every step and
// cause, and the slowest requests of every step as curl commands.
//
//	session --Want?--> Set --Keep--> masked sample
//	                    |
//	        judge: First, Any, Curl
//
//	samples.go     the first failed requests
//	slow_asked.go  the slowest requests
//	exported.go    the requests that a worker sends to its run
//
// A request that is not kept costs one comparison. To keep more of a request, add a field to
// [result.Sample], and mask it in [Set.Keep].
package samples
