package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"brunt/reporters/catalog"
	"brunt/reporters/evidence"
	"brunt/scenarios"
	"brunt/scenarios/secret"

	"github.com/spf13/cobra"
)

func attestCommand() *cobra.Command {
	var author string
	var sign signFlag
	c := &cobra.Command{
		Use:   "attest DIR TEXT --sign KEY",
		Short: "State by an SSH signature that you looked at a finished run",
		Long: `State by an SSH signature that you looked at a finished run, and what you found. The statement
is a file in the folder of the run, attestation-1.json, with your name, the time of this
machine, and the SHA-256 of the run's manifest, so that it covers every file of the run.
brunt checks the folder first, as brunt verify does, and signs nothing if a file differs.

brunt verify checks attestations: a forged one, one that was changed later, and one of a run
whose files or manifest were changed. With --signer FILE of brunt verify, the name must be one
of the names of its key in that file. Each attestation names the one before it by its SHA-256,
and attestations.sig signs the list of all, so that brunt verify tells that one was removed.
The folder can't show that all were removed together with that file, or that an earlier copy
of the folder was put back: keep a copy elsewhere.

The same without brunt:
  ssh-keygen -Y verify -f ALLOWED -I NAME -n brunt -s attestation-1.json.sig < attestation-1.json
  sha256sum SHA256SUMS      # the same as "sums" of attestation-1.json
  sha256sum attestation-?.json | ssh-keygen -Y verify -f ALLOWED -I NAME -n brunt -s attestations.sig

Exit codes: 0: the attestation is written. 3: a file of the run differs from its manifest.
2: the folder or the key can't be read, or the run has no manifest.`,
		Example: `  brunt attest brunt-results/checkout-20260714-101500-7kq2mwxa --sign ~/.ssh/id_ed25519 \
    --as ann@example.org "recovery in 4 s, as expected; nothing to do"`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			dir, text := args[0], secret.Fields(strings.Join(args[1:], " "))
			if sign.key == "" {
				return usagef("an attestation is a signature: --sign KEY names your SSH key; " +
					"`ssh-keygen -t ed25519` makes one")
			}
			v, err := evidence.Verify(dir, nil, catalog.All().Derived)
			if err != nil {
				return usagef("%s: %w", dir, err)
			}
			if len(v.Findings) > 0 {
				tellVerification(stdout(c), dir, v)
				return exit(scenarios.ExitFail)
			}
			done, err := sign.open()
			if err != nil {
				return err
			}
			defer done()
			a := evidence.Attestation{By: cmp.Or(author, whoami()), At: time.Now(), States: text}
			file, err := evidence.Attest(dir, sign.signer, a)
			if errors.Is(err, evidence.ErrStatement) || errors.Is(err, fs.ErrNotExist) || os.IsPermission(err) {
				return scenarios.Usage(err)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", dir, err)
			}
			fmt.Fprintf(stdout(c), "attested by %s: %s\n", a.By, file)
			return nil
		},
	}
	sign.register(c)
	c.Flags().Lookup("sign").Usage = "your SSH key: a private key, or a public key whose private key the SSH agent has"
	c.Flags().StringVar(&author, "as", "", "your name, such as the one in the file of allowed signers (default $USER)")
	return c
}
