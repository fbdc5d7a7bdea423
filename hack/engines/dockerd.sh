# dockerd.sh - a private dockerd; source it after lib.sh.
#
# dockerd_starts RUNTIME_FLAGS...: starts dockerd ($DOCKERD) on $SOCK with these
# flags, by the first storage driver that works ($DRIVER), and imports the image
# "tiny". It exits where no driver does.
need dockerd docker containerd busybox

export DOCKER=${DOCKER:-/usr/bin/docker} SOCK=/run/docker.sock
d() { "$DOCKER" -H unix://$SOCK "$@"; }
run() { d run --network none "$@"; }              # network given: the last one wins
export -f d run
export HOME=$T/home DOCKER_BUILDKIT=0; mkdir -p "$HOME"

dockerd_starts() {
  for DRIVER in overlay2 vfs; do
    dockerd -H unix://$SOCK --data-root "$T/docker" --exec-root /run/docker \
      --pidfile /run/docker.pid --storage-driver "$DRIVER" --bridge none --iptables=false \
      --ip6tables=false --ip-forward=false --ip-masq=false --userland-proxy=false \
      --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/$CG" \
      --init-path "$(command -v docker-init)" "$@" >"$T/dockerd.log" 2>&1 &
    DOCKERD=$!
    if wait_for "kill -0 $DOCKERD && d info" 30; then
      rootfs "$T/rootfs"
      tar -C "$T/rootfs" -c . | d import -c 'ENV PATH=/bin' -c 'CMD ["sh"]' - tiny >/dev/null
      return
    fi
  done
  tail -20 "$T/dockerd.log"; echo "Bail out! dockerd does not start"; exit 2
}
