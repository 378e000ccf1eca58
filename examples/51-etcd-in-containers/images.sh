#!/bin/sh
# Makes the two images of this example from the programs of this machine and the libraries that they need, unless there
# are images of that name. Their names begin with the first argument; the second is a label that they get.
set -eu
name=${1:-brunt-example} label=${2:-brunt.example=51}
for program in etcd haproxy; do
  "$(dirname "$0")/../systems.sh" image "$name-$program" "$label" "$program"
done
