#!/usr/bin/env bash
# Runs the proof of reliability and writes tests/RELIABILITY.md from what it counted. `quick` runs what every change is
# checked with; without it the long forms run, with an optimised build: hours. Names of parts (crash, power, stripe,
# simulator, bench, planted) after it run those alone, and leave what the page says of the others. It needs Linux, root and
# loop devices to cut power, a C compiler for calls that fail, and Python and Node for the two stand-ins of gateways.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1:-long}" = quick ]; then
    shift
    export RENEWD_KILLS="${RENEWD_KILLS:-200}" RENEWD_FLIPS="${RENEWD_FLIPS:-2000}" RENEWD_POWER_CUTS="${RENEWD_POWER_CUTS:-4}"
    export RENEWD_CUTS="${RENEWD_CUTS:-200}" RENEWD_SEEDS="${RENEWD_SEEDS:-2000}"
    export RENEWD_BENCH="${RENEWD_BENCH:-320 100}"
    build=()
    programs=target/debug
else
    export RENEWD_KILLS="${RENEWD_KILLS:-20000}" RENEWD_FLIPS="${RENEWD_FLIPS:-all}" RENEWD_POWER_CUTS="${RENEWD_POWER_CUTS:-100}"
    export RENEWD_CUTS="${RENEWD_CUTS:-1000}" RENEWD_SEEDS="${RENEWD_SEEDS:-200000}" RENEWD_DEATHS="${RENEWD_DEATHS:-all}"
    export RENEWD_PLANTED_SEEDS="${RENEWD_PLANTED_SEEDS:-600}"
    export RENEWD_BENCH="${RENEWD_BENCH:-9800 800}"
    build=(--release)
    programs=target/release
fi
parts=("$@")
if [ "${#parts[@]}" -eq 0 ]; then
    parts=(crash power stripe simulator bench planted)
fi
runs() {
    [[ " ${parts[*]} " == *" $1 "* ]]
}
# What cannot be had here is no reason to leave it off the page.
export RENEWD_CI=1
export RENEWD_KILL_SEED="${RENEWD_KILL_SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}"
commit="$(git rev-parse --short=12 HEAD)"
counts=target/reliability
# The simulator keeps its counts after so many seeds: some minutes.
SEEDS_AT_ONCE=4000
unset CARGO_TARGET_DIR
# Nothing of an earlier run may stand on the page. The simulator's seeds alone may go on where a run was broken off.
if [ "${RENEWD_CONTINUE:-}" != 1 ]; then
    rm -rf "$counts"
fi
rm -f "$counts/simulator.json"

# All programs once, with the features that they have together: any other choice would build every dependency again.
cargo test "${build[@]}" --workspace --no-run
for part in crash power stripe; do
    if runs "$part"; then
        cargo test "${build[@]}" --workspace --test "$part" -- --test-threads 1 --nocapture
    fi
done
if runs simulator; then
    for ((from = 0; from < RENEWD_SEEDS; from += SEEDS_AT_ONCE)); do
        part="$(printf '%s/simulator-%07d.json' "$counts" "$from")"
        if [ ! -e "$part" ]; then
            to=$((from + SEEDS_AT_ONCE))
            "$programs/renewd-sim" --seeds "$from..$((to < RENEWD_SEEDS ? to : RENEWD_SEEDS))" --json "$part"
        fi
    done
fi
if runs bench; then
    # shellcheck disable=SC2086
    "$programs/renewd-bench" $RENEWD_BENCH
fi
# Too few caught is for the page to say, too.
caught=0
if runs planted; then
    cargo test "${build[@]}" --workspace --features renewd-sim/planted --test planted -- --nocapture || caught=$?
fi
"$programs/renewd-reliability" "$commit" "$(date -u +%Y-%m-%d)"
echo "wrote tests/RELIABILITY.md"
exit "$caught"
