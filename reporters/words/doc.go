// Package words says the parts of a result in words and numbers, the same in every report.
package words
