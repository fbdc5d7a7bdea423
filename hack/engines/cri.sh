#!/bin/bash
# cri.sh RUNTIME [NAME] - containerd's CRI plugin runs RUNTIME as its runc.
# Debian packages: containerd containernetworking-plugins busybox-static; and Go
# with its module proxy to build criclient/ (set CRICLIENT to a built one instead).
before() {
  [ -n "${CRICLIENT-}" ] || go build -C "$HERE/criclient" -o "$T/criclient" . || return
  [ -z "${CRICLIENT-}" ] || cp "$CRICLIENT" "$T/criclient"
}
. "$(dirname "$0")/lib.sh"
need containerd ctr busybox containerd-shim-runc-v2

rootfs "$T/rootfs"
oci_image "$T/pause.tar" localhost/pause:1 '["/bin/pause"]'
oci_image "$T/tiny.tar" localhost/tiny:1 '["sh"]'

mkdir -p "$T/cni" "$T/pods"
cat >"$T/cni/10-net.conflist" <<CONF
{"cniVersion":"0.4.0","name":"net","plugins":[
 {"type":"bridge","bridge":"eng0","isGateway":false,
  "ipam":{"type":"host-local","dataDir":"$T/ipam","ranges":[[{"subnet":"192.0.2.0/24"}]]}}]}
CONF
cat >"$T/config.toml" <<CONF
version = 2
root = "$T/containerd"
state = "/run/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$T/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "$NAME"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes."$NAME"]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes."$NAME".options]
        BinaryName = "$RT"
        SystemdCgroup = false
CONF
containerd -c "$T/config.toml" >"$T/containerd.log" 2>&1 & CONTAINERD=$!
wait_for "ctr version && ctr plugins ls | grep -q 'cri .*ok'" 30 || {
  tail -20 "$T/containerd.log"; echo "Bail out! containerd does not start"; exit 2; }
ctr -n k8s.io image import "$T/pause.tar" >/dev/null && ctr -n k8s.io image import "$T/tiny.tar" >/dev/null
echo "# $(containerd --version), CRI, runtime $NAME=$RT"
skip=; have_cap 24 || skip='CAP_SYS_RESOURCE is not in the bounding set here'
"$T/criclient" -handler "$NAME" -image localhost/tiny:1 -cgroup-parent "/$CG" -dir "$T/pods" -skip "$skip" >"$T/cri.out"
rc=$?
sed '$d' "$T/cri.out"
left=$(cgroups_left; ls /run/containerd/runc/k8s.io 2>/dev/null)
[ -z "$left" ] || { echo "# left behind: ${left:0:400}"; rc=1; }
kill $CONTAINERD; wait $CONTAINERD 2>/dev/null
echo "# cri.sh $NAME: $(($(date +%s) - STARTED)) s"
tail -1 "$T/cri.out"
exit $rc
