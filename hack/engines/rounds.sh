#!/bin/bash
# rounds.sh RUNTIME NAME ROUNDS RUNTIME_NAME=PATH... - times docker run --rm of true.
#
# All the runtimes under one dockerd, one turn each a round, in an order that is
# drawn anew; prints "took RUNTIME_NAME MICROSECONDS" per turn. The first round
# is not counted. hack/bench -docker reads it.
# Debian packages: docker.io containerd busybox-static tini
if [ -z "${ENGINES_INSIDE-}" ]; then ROUNDS=${3:-20} RUNTIMES=${*:4}; fi
. "$(dirname "$0")/lib.sh"
. "$HERE/dockerd.sh"

names=() flags=()
for r in $RUNTIMES; do
  n=bench-${r%%=*}                                 # dockerd keeps the name runc for itself
  names+=("$n"); flags+=(--add-runtime "$n=${r#*=}")
done
dockerd_starts "${flags[@]}"
for ((i = 0; i <= ROUNDS; i++)); do
  for n in $(shuf -e "${names[@]}"); do
    began=${EPOCHREALTIME/./}
    run --rm --runtime "$n" tiny true >"$T/said" 2>&1 </dev/null || { echo "$n: $(tail -n 3 "$T/said")"; exit 1; }
    ended=${EPOCHREALTIME/./}
    [ "$i" = 0 ] || echo "took ${n#bench-} $((ended - began))"
  done
done
kill $DOCKERD; wait $DOCKERD 2>/dev/null
exit 0
