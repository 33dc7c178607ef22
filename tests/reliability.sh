#!/usr/bin/env bash
# Runs the proof of reliability and writes tests/RELIABILITY.md from what it counted. `quick` runs what every change is
# checked with; without it the long forms run, with an optimised build: hours. Root with loop devices cuts power, others
# skip that; Python and Node bring the two stand-ins of gateways.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1:-long}" = quick ]; then
    export RENEWD_KILLS="${RENEWD_KILLS:-200}" RENEWD_FLIPS="${RENEWD_FLIPS:-2000}" RENEWD_POWER_CUTS="${RENEWD_POWER_CUTS:-4}"
    export RENEWD_CUTS="${RENEWD_CUTS:-200}" RENEWD_SEEDS="${RENEWD_SEEDS:-2000}"
    build=()
    programs=target/debug
else
    export RENEWD_KILLS="${RENEWD_KILLS:-20000}" RENEWD_FLIPS="${RENEWD_FLIPS:-all}" RENEWD_POWER_CUTS="${RENEWD_POWER_CUTS:-100}"
    export RENEWD_CUTS="${RENEWD_CUTS:-1000}" RENEWD_SEEDS="${RENEWD_SEEDS:-200000}" RENEWD_DEATHS="${RENEWD_DEATHS:-all}"
    build=(--release)
    programs=target/release
fi
export RENEWD_KILL_SEED="${RENEWD_KILL_SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}"
commit="$(git rev-parse --short=12 HEAD)"
counts=target/reliability
unset CARGO_TARGET_DIR
# Nothing of an earlier run may stand on the page.
rm -rf "$counts"

# All programs once, with the features that they have together: any other choice would build every dependency again.
cargo test "${build[@]}" --workspace --no-run
cargo test "${build[@]}" --workspace --test crash --test power --test stripe -- --test-threads 1 --nocapture
"$programs/renewd-sim" --seeds "0..$RENEWD_SEEDS" --json "$counts/simulator.json"
# Too few caught is for the page to say, too.
caught=0
cargo test "${build[@]}" --workspace --features renewd-sim/planted --test planted -- --nocapture || caught=$?
"$programs/renewd-reliability" "$commit" "$(date -u +%Y-%m-%d)"
echo "wrote tests/RELIABILITY.md"
exit "$caught"
