//go:build !unix

package measure

import "os"

// unlinkOpen does nothing: on this platform an open file keeps its name until it is closed.
func unlinkOpen(*os.File) {}
