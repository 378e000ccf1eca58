package main

import (
	"fmt"
	"os"

	"brunt/reporters/catalog"
	"brunt/reporters/evidence"

	"github.com/spf13/cobra"
)

// signFlag names the key that signs a run's folder.
type signFlag struct {
	key    string
	signer *evidence.Signer // nil: no signature
}

func (f *signFlag) register(c *cobra.Command) {
	c.Flags().StringVar(&f.key, "sign", "",
		"sign the report's folder with this SSH key: a private key, or a public key whose private key the SSH agent "+
			"has; see brunt verify")
}

// open reads the key, before anything is started.
func (f *signFlag) open() (done func(), err error) {
	if f.key == "" {
		return func() {}, nil
	}
	if f.signer, err = evidence.OpenSigner(f.key, os.Getenv); err != nil {
		return nil, usagef("--sign: %w", err)
	}
	return func() { _ = f.signer.Close() }, nil
}

// writeManifest writes the manifest of a complete folder, and signs it. If the manifest fails, the verdict is not
// affected. If a requested signature fails, that is an error.
func (f *signFlag) writeManifest(c *cobra.Command, dir string) error {
	err := evidence.WriteManifest(dir, f.signer)
	switch {
	case err == nil:
		return nil
	case f.signer != nil:
		return fmt.Errorf("%s is not signed: %w", dir, err)
	}
	fmt.Fprintf(stderr(c), "brunt: %s has no manifest, so `brunt verify` can't check it: %v\n", dir, err)
	return nil
}

// record writes the events of a run to its folder, from the start of the run on.
func record(c *cobra.Command, dir string) (log *evidence.EventLog, done func(), err error) {
	if err := catalog.All().Clear(dir); err != nil {
		return nil, nil, err
	}
	if log, err = evidence.OpenEvents(dir); err != nil {
		return nil, nil, err
	}
	return log, func() {
		if err := log.Close(); err != nil {
			fmt.Fprintf(stderr(c), "brunt: the events could not be written during the run: %v\n", err)
		}
	}, nil
}
