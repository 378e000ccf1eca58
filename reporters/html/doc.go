// Package html writes report.html, the page that people read, and its parts while the run goes on.
package html
