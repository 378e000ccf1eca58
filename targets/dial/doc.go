// Package dial opens the connections of a load.
//
//	name --resolver--> addresses --allowlist--> socket --[proxy] [TLS]--> connection
//
// A [Network] resolves names by the load's own settings: resolve, a name server, and a limit on how long answers are
// used. It takes the load's source addresses in turn, and connects only to addresses that the allowlist accepts.
// [ProxyFor] chooses the proxy between a load and a URL. [TLSConfig] is the load's TLS. Every protocol dials through
// this package, so that these settings mean the same for all of them.
package dial
