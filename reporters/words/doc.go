// Package words formats the parts of a result as words and numbers, the same in every report.
package words
