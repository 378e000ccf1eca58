// Package catalog is the one list of reporters.
package catalog
