// Package custom has the faults that the author of a scenario makes of own commands (exec) and calls
// (webhook). The revert must be safe at any time: before the inject, after half of it, and twice. Whoever finds the
// journal runs it, and cannot know how far brunt came.
package custom
