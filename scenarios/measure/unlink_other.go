//go:build !unix

package measure

import "os"

// unlinkOpen does nothing: here an open file keeps its name until it is closed.
func unlinkOpen(*os.File) {}
