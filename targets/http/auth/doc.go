// Package auth adds credentials to requests and signs them.
//
//	auth: oauth2 | jwt | basic   a header, made by a [Prover]
//	sign: hmac | aws             headers over the rendered request, made by a [Signer]
//
// [Proofs] compiles each block of a plan once. [Tokens] are fetched before the load and renewed in the background, so
// that no measured request waits for one. To add a kind, add a field to [Auth] or [Sign], and its case where the
// block is compiled.
package auth
