// Package push sends a run to other services while it goes on.
package push
