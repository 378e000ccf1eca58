// Package live serves a run while it goes on: its page, its events and its metrics.
package live
