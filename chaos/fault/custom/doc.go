// Package custom has the faults that the author of a scenario writes as commands (exec), HTTP calls (webhook) and steps
// of the load's language (call), and actions that are not faults (action.run). The revert must be safe at any time:
// before the inject, after half of it, and twice. Any process that finds the journal executes it, and cannot know how
// far brunt got.
package custom
