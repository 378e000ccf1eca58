#!/bin/sh
# Makes the image of this example from the programs of this machine and the libraries that they need, unless there is one
# of that name. Its name begins with the first argument; the second is a label that it gets.
set -eu
exec "$(dirname "$0")/../systems.sh" image "${1:-brunt-example}-redis-sentinel" "${2:-brunt.example=55}" sh redis-server redis-cli grep sleep
