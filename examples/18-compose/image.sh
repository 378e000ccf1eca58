#!/usr/bin/env bash
# Makes the image of this example FROM scratch, without a registry. Its name is the first
# argument, brunt-example-compose by default; the second is a label that it gets. It needs Go
# and the docker command.
set -euo pipefail
cd "$(dirname "$0")"
name=${1:-brunt-example-compose} label=${2:-brunt.example=18}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

CGO_ENABLED=0 GOFLAGS=-buildvcs=false go build -o "$root/shop" .
tar -C "$root" -c shop | docker import --change "LABEL $label" --change 'ENTRYPOINT ["/shop"]' - "$name" >/dev/null
