#!/usr/bin/env bash
# Runs the proof of reliability and writes tests/RELIABILITY.md from what it counted. `quick` runs what every change is
# checked with; without it the long forms run: hours. Root with loop devices cuts power, others skip that.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1:-long}" = quick ]; then
    export RENEWD_KILLS="${RENEWD_KILLS:-200}" RENEWD_FLIPS="${RENEWD_FLIPS:-2000}" RENEWD_POWER_CUTS="${RENEWD_POWER_CUTS:-4}"
else
    export RENEWD_KILLS="${RENEWD_KILLS:-20000}" RENEWD_FLIPS="${RENEWD_FLIPS:-all}" RENEWD_POWER_CUTS="${RENEWD_POWER_CUTS:-100}"
    export RENEWD_DEATHS="${RENEWD_DEATHS:-all}"
fi
export RENEWD_KILL_SEED="${RENEWD_KILL_SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}"

cargo test -p renewd-tests --test crash -- --test-threads 1 --nocapture
cargo test -p renewd-tests --test power -- --test-threads 1 --nocapture
cargo run --quiet -p renewd-tests --bin renewd-reliability -- "$(git rev-parse --short=12 HEAD)" "$(date -u +%Y-%m-%d)"
echo "wrote tests/RELIABILITY.md"
