#!/usr/bin/env bash
# Runs SCENARIO, or with HISTORY gates it; ARGS has further arguments, one a line. The report goes to OUTPUT; brunt itself
# writes the step's summary. This ends with brunt's exit code.
set -euo pipefail
args=(run "$SCENARIO")
if [ -n "$HISTORY" ]; then args=(gate "$SCENARIO" --history "$HISTORY" --commit "$GITHUB_SHA"); fi
while IFS= read -r arg; do
  if [ -n "$arg" ]; then args+=("$arg"); fi
done <<<"$ARGS"
code=0
brunt "${args[@]}" -o "$OUTPUT" || code=$?
echo "exit-code=$code" >>"$GITHUB_OUTPUT"
exit "$code"
