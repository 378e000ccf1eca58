// Package examples holds scenarios that run as they are, and the JSON Schemas beside them. Each example is a folder
// with a page of its own.
package examples
