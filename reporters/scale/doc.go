// Package scale maps values to the axes of charts, with round ends and ticks.
package scale
