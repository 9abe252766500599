#!/usr/bin/env bash
# Treat the built binary as a stranger would: over HTTP, with other people's clients, in a browser, and by killing it.
#
#   tests/blackbox/run.sh [PYTEST ARGUMENT…]       for one story: run.sh -k crashing
#
# Needs scripts/install --blackbox, and a binary: HERMOD_BIN, or what cargo built last. Every test starts what it needs on
# free ports in a directory of its own, and ends it. HERMOD_BLACKBOX_KEEP=DIR keeps those directories, with logs and screenshots.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)

HERMOD_BIN=$(realpath -m "${HERMOD_BIN:-$root/target/debug/hermod}")
[ -x "$HERMOD_BIN" ] || { echo "$HERMOD_BIN is not there: cargo build -p hermod-server" >&2; exit 1; }
export HERMOD_BIN
# Stories under load are told by its driver, where that is built.
export HERMOD_BENCH_BIN=${HERMOD_BENCH_BIN:-$root/target/debug/hermod-bench}
export PYTHONDONTWRITEBYTECODE=1

keep=${HERMOD_BLACKBOX_KEEP:-}
work=${keep:-$(mktemp -d /tmp/hermod-blackbox.XXXXXX)}
mkdir -p "$work"
export HYPOTHESIS_STORAGE_DIRECTORY=$work/hypothesis
[ -n "$keep" ] || trap 'rm -rf "$work"' EXIT

"$root/.cache/venv/bin/python" -m pytest --basetemp="$work/tests" "$@"
