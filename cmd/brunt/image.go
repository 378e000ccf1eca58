package main

import (
	"fmt"
	"os"

	"brunt/chaos/oci"
	"brunt/scenarios/disk"
	guards "brunt/scenarios/run/guard"
	"brunt/targets/platform/docker"

	"github.com/spf13/cobra"
)

// authorities is the path at which Linux programs look for certificates of authorities, on Debian and many others.
const authorities = "/etc/ssl/certs/ca-certificates.crt"

// mostAuthorities bounds the file of certificates, in bytes.
const mostAuthorities = 8 << 20

func imageCommand() *cobra.Command {
	var out, name string
	var programs []string
	c := &cobra.Command{
		Use:   "image",
		Short: "Write an image of brunt itself, for workers and watchdogs on Kubernetes",
		Long: `Write an image of brunt itself as an archive: this program, FROM scratch, with the certificate authorities
of this machine. No engine and no registry is asked. A cluster gets it by the way that it has:

  kind load image-archive brunt.tar
  minikube image load brunt.tar
  k3s ctr images import brunt.tar
  ctr -n k8s.io images import brunt.tar
  docker load -i brunt.tar

The tag is the version and the beginning of the program's SHA-256. Workers use the image of this name, unless
` + "`workers.image`" + ` of the scenario or BRUNT_IMAGE names another, and the watchdog of faults on pods unless
` + "`target.kubernetes.image`" + ` or BRUNT_IMAGE does.

The program is this one, or that which BRUNT_LINUX names. It must be static, as CGO_ENABLED=0 makes it. --program,
given once for each processor, makes an image for several.`,
		Example: `  brunt image -o brunt.tar`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if len(programs) == 0 {
				self, err := docker.SelfPath(os.Getenv)
				if err != nil {
					return err
				}
				programs = []string{self}
			}
			if name == "" {
				var err error
				if name, err = guards.OwnImage(os.Getenv); err != nil {
					return err
				}
			}
			i := oci.Image{Name: name, Programs: programs, Files: map[string][]byte{}}
			if text, err := disk.Read(authorities, mostAuthorities); err == nil {
				i.Files[authorities] = text
			}
			if err := writeWhole(out, disk.Shared, i.Write); err != nil {
				return err
			}
			fmt.Fprintf(stdout(c), "%s holds %s\n", out, name)
			return nil
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "brunt.tar", "the archive")
	c.Flags().StringVar(&name, "name", "", "the name of the image, with its tag (default brunt:VERSION-SHA256)")
	c.Flags().StringArrayVar(&programs, "program", nil,
		"a program of Linux; can be given several times, for a processor each (default this one, or BRUNT_LINUX)")
	return c
}
