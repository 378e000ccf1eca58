// Package oci writes an image of one static program as an archive: an OCI layout, with the manifest.json besides that
// older engines read. No engine and no registry is asked.
//
//	programs, by processor --> Image.Write --> archive --> docker load, ctr images import, kind load image-archive, …
//
// The same programs and files give the same bytes. The tests hold the archive against what other engines make of it.
package oci
