// Package html writes report.html and, while the run goes on, the parts of its page.
package html
