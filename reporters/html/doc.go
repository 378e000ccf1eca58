// Package html writes report.html and, while the run goes on, the parts of its page.
//
// The page is one file that opens offline, prints, and is complete with scripts off. Its content security policy
// allows no external resource, and only its own script and style, by their hashes.
//
//	Result -> points -> charts (package chart)  \
//	       -> faults, objectives, tables         > page -> assets/page.tmpl
//	       -> series for hover and zoom         /
//
// To add a section, write a view in a file of its own, with the function that builds it from a [result.Result]. Call
// that function in newPage, and add a part to assets/page.tmpl. Wording belongs in package words, which the terminal
// also uses. Text of an author or a target passes through words.Clean, and the template escapes it.
package html
