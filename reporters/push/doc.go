// Package push tells other services of a run while it goes on.
package push
