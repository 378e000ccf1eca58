// Package html writes report.html and, while the run goes on, the parts of its page.
//
// The page is one file that opens offline, prints, and is complete with scripts off. Its policy allows no external
// resource, and no script or style but its own, by their hashes.
//
//	Result -> points -> charts (package chart)  \
//	       -> faults, objectives, tables         > page -> assets/page.tmpl
//	       -> series for hover and zoom         /
//
// To add a section, write a view and the function that makes it of a [result.Result] in a file of its own, put it into
// the page by newPage, and give it a part of assets/page.tmpl. Wording belongs in package words, which the terminal
// shares. Text of an author or a target passes through words.Clean, and the template escapes it.
package html
