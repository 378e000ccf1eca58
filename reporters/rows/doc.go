// Package rows writes a run as rows for other programs: seconds as CSV, requests for vegeta.
package rows
