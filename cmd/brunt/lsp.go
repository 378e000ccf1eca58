package main

import (
	"io"
	"os"
	"time"

	"brunt/scenarios/drills"
	"brunt/scenarios/edit/lsp"
	"brunt/targets/demo"

	"github.com/spf13/cobra"
)

// typing is the time without a change after which an editor's text is checked.
const typing = 150 * time.Millisecond

func lspCommand() *cobra.Command {
	var f sourceFlags
	c := &cobra.Command{
		Use:   "lsp",
		Short: "Tell an editor the mistakes in a scenario or a drill while it is written",
		Long: `Serve the Language Server Protocol on the standard input and output: an editor starts this
command and shows the mistakes that brunt validate finds, what brunt explain says of the
key under the cursor, completions of keys, values and names, and a quick fix for each "did
you mean". The folder examples/editors of brunt has settings for editors.`,
		Example: `  brunt lsp                 # as an editor starts it`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			check := func(path string, read func(string) ([]byte, error)) ([]string, error) {
				if text, err := read(path); err == nil && drills.HoldsDrill(path, text) {
					set, err := f.params()
					if err == nil {
						_, err = drills.Parse(path, text, set)
					}
					return nil, err
				}
				one := f
				one.read = read
				p, err := compile(path, &one)
				if err != nil {
					return nil, err
				}
				return p.Notes, nil
			}
			stream := struct {
				io.Reader
				io.Writer
				io.Closer
			}{c.InOrStdin(), c.OutOrStdout(), os.Stdin}
			services := []string{}
			for _, one := range (demo.Config{}).Services() {
				services = append(services, one.Name)
			}
			return lsp.Serve(c.Context(), stream, lsp.Options{
				Check: check, Reference: newReference(), Stacks: map[string][]string{"demo": services}, Pause: typing,
			})
		},
	}
	f.register(c)
	c.Flags().Bool("stdio", true, "speak on the standard input and output, as it always does; for editors that say so")
	return c
}
