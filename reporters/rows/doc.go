// Package rows writes a run as rows for other programs: CSV of seconds, vegeta of requests.
package rows
