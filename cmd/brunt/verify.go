package main

import (
	"fmt"
	"io"
	"time"

	"brunt/reporters/catalog"
	"brunt/reporters/evidence"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/syntax"

	"github.com/spf13/cobra"
)

func verifyCommand() *cobra.Command {
	signer := ""
	c := &cobra.Command{
		Use:   "verify DIR …",
		Short: "Check that a run's folder is as it was when the run ended",
		Long: `Check that a run's folder is as it was when the run ended: every file is there and has the
sum that SHA256SUMS has for it, there are no other files, the lines of events.jsonl are
chained, and the signature and the attestations (brunt attest) are valid. brunt reports each
difference with its file, and with its line if there is one.

Without --signer a signature only shows that the owner of some key signed the manifest.
Without a signature the sums only show that nothing changed by accident: anyone able to
change a file can also compute new sums. --signer requires a signature by one of the keys of
a file: a public key, or allowed signers as ssh-keygen -Y verify takes them.

The same without brunt:
  sha256sum -c SHA256SUMS
  ssh-keygen -Y verify -f ALLOWED -I SIGNER -n brunt -s SHA256SUMS.sig < SHA256SUMS

Exit codes: 0: everything is as it was. 3: something differs, or the signature is missing
or by another key. 2: the folder, or the file of --signer, can't be read.`,
		Example: `  brunt verify brunt-results/checkout-20260714-101500-7kq2mwxa
  brunt verify results --signer allowed_signers`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			var by *evidence.Signers
			if signer != "" {
				var err error
				if by, err = evidence.ReadSigners(signer); err != nil {
					return usagef("--signer: %w", err)
				}
			}
			bad := false
			for _, dir := range args {
				v, err := evidence.Verify(dir, by, catalog.All().Derived)
				if err != nil {
					return usagef("%s: %w", dir, err)
				}
				tellVerification(stdout(c), dir, v)
				bad = bad || len(v.Findings) > 0
			}
			if bad {
				return exit(scenarios.ExitFail)
			}
			return nil
		},
	}
	c.Flags().StringVar(&signer, "signer", "",
		"require a signature by this public key, or by one of this file of allowed signers")
	return c
}

func tellVerification(w io.Writer, dir string, v *evidence.Verification) {
	if len(v.Findings) == 0 {
		fmt.Fprintf(w, "✓ %s matches its manifest: %s, %s\n", dir, syntax.Amount(v.Files, "file"),
			syntax.Amount(v.Events, "event"))
	} else {
		fmt.Fprintf(w, "✗ %s does not verify\n", dir)
	}
	for _, f := range v.Findings {
		fmt.Fprintf(w, "  %s\n", f)
	}
	for _, n := range v.Notes {
		fmt.Fprintf(w, "  %s\n", n)
	}
	for _, a := range v.Attested {
		if a.Problem == "" {
			fmt.Fprintf(w, "  attested by %s at %s, %s: %s\n", words.Clean(a.By), a.At.Format(time.RFC3339),
				a.Signed.Key, words.Clean(a.States))
		}
	}
	switch s := v.Signed; {
	case s == nil && len(v.Findings) == 0 && len(v.Attested) == 0:
		fmt.Fprintln(w, "  it has no signature: whoever can change a file can also replace the sums")
	case s != nil && s.Principal != "":
		fmt.Fprintf(w, "  signed by %s, %s\n", s.Principal, s.Key)
	case s != nil:
		fmt.Fprintf(w, "  signed by %s\n", s.Key)
	}
}
