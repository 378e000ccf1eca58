// Package custom has the faults that the author of a scenario writes as commands (exec) and calls (webhook), and actions that are no faults.
// The revert must be safe at any time: before the inject, after half of it, and twice. Any process that finds the
// journal executes it, and cannot know how far brunt came.
package custom
