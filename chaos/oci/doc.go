// Package oci writes an image of one static program as an archive: an OCI layout, and also the manifest.json that older
// engines read. It asks no engine and no registry.
//
//	programs, by processor --> Image.Write --> archive --> docker load, ctr images import, kind load image-archive, …
//
// The same programs and files give the same bytes. The tests load the archive into other engines.
package oci
