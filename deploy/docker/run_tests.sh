#!/bin/sh
# Runs the modules of tests/conformance and tests/parity, as many at once as there are processors; arguments are names of
# modules to leave out. Each failure shows all that its module said.
set -eu

for module in "$@"; do
  set -- tests/*/"$module.py"
  [ -e "$1" ] || { echo "there is no $module to leave out" >&2; exit 2; }
  left_out="${left_out:-} $module"
done
modules=$(
  for file in tests/conformance/*_test.py tests/parity/*_test.py; do
    case "${left_out:-} " in
      *" $(basename "$file" .py) "*) ;;
      *) echo "${file%.py}" | tr / . ;;
    esac
  done
)
logs=$(mktemp -d)
status=0
# shellcheck disable=SC2016  # for the inner shell
echo "$modules" | LOGS=$logs xargs -P "$(nproc)" -I {} sh -c '
  if python3 -m unittest {} >"$LOGS/{}" 2>&1; then result=passed; else result=FAILED; fi
  ran=$(grep -E "^Ran [1-9]" "$LOGS/{}") || result="FAILED (no test ran)"
  echo "{}: $result: $ran; $(tail -n 1 "$LOGS/{}")"
  grep "^SKIPPED: " "$LOGS/{}" || true
  [ "$result" = passed ] || { cat "$LOGS/{}"; exit 1; }' || status=1
rm -rf "$logs"
exit "$status"
