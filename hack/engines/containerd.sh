#!/bin/bash
# containerd.sh RUNTIME [NAME] - containerd's runc shim, driven by ctr, runs RUNTIME.
# Debian packages: containerd busybox-static
. "$(dirname "$0")/lib.sh"
need containerd ctr busybox containerd-shim-runc-v2

export NS=$CG SOCK=/run/containerd/containerd.sock     # ctr's cgroups are /NS/ID
c() { ctr -a $SOCK -n "$NS" "$@"; }
# run [flags] ID command...: the image is put before the first word that is no flag
run() {
  local f=()
  while [[ $1 = -* ]]; do f+=("$1"); shift; done
  c run --runtime io.containerd.runc.v2 --runc-binary "$RT" "${f[@]}" localhost/tiny:1 "$@"
}
task() { c task "$@"; }
pid() { c task ls | awk -v i="$1" '$1==i{print $2}'; }
state() { c task ls | awk -v i="$1" '$1==i{print $3}'; }
gone() { c task kill -s KILL "$1"; wait_for "[ \$(state $1) = STOPPED ]"; c task delete "$1"; c container delete "$1"; }
export -f c run task pid state gone

cat >"$T/config.toml" <<CONF
version = 2
root = "$T/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "$SOCK"
CONF
# ctr forgets --runc-binary when it is given id maps; then the shim looks for runc
mkdir "$T/bin"; ln -s "$RT" "$T/bin/runc"; export PATH=$T/bin:$PATH
containerd -c "$T/config.toml" >"$T/containerd.log" 2>&1 & CONTAINERD=$!
echo $CONTAINERD >"$T/cpid"
wait_for "c version" 30 || { tail -20 "$T/containerd.log"; echo "Bail out! containerd does not start"; exit 2; }
oci_image "$T/tiny.tar" localhost/tiny:1 '["sh"]'
echo "# $(containerd --version), runtime $NAME=$RT"

check 'image import' 0 'tiny:1' 'c image import $T/tiny.tar'
check 'run --rm' 0 '^hello' 'run --rm a1 echo hello'
check 'exit status' 7 '' 'run --rm a1 sh -c "exit 7"'
# ctr forgets an end of input that comes before its task runs, hence the waiting
check 'stdin' 0 '^abc' '(echo abc; wait_for "[ \$(state a1) = RUNNING ]"; sleep 1) | run --rm a1 cat'
check 'no stray descriptors' 0 '^0.1.2$' 'run --rm a1 sh -c "ls /proc/\$\$/fd; true"'
check 'terminal' 0 '/dev/(pts/0|console)' 'tty "run --rm -t a1 tty"'
check 'absent command: error text' '!0' 'executable file not found' 'run --rm a1 nosuchcmd'
check 'absent path: error text' '!0' '/no/such.*no such file' 'run --rm a1 /no/such'
check 'failed run leaves nothing' 0 '^$' 'c container ls -q; ls /run/containerd/runc/$NS 2>/dev/null'
check 'detached, pid file' 0 '' 'run -d --pid-file=$T/pid b1 sh -c "trap \"exit 5\" TERM; while :; do sleep 0.1; done" && [ $(cat $T/pid) = $(pid b1) ]'
check 'task ls' 0 '^RUNNING$' 'state b1'
check 'a second container' 0 '^RUNNING$' 'run -d b2 sleep 99 && state b2'
# ctr loses what an exec says that ends before its pipes are open (with every runtime: some of 1000), hence the sleeping
check 'exec' 0 '^hi' 'task exec --exec-id e b1 sh -c "echo hi; sleep 0.3"'
check 'exec exit status' 9 '' 'task exec --exec-id e b1 sh -c "exit 9"'
check 'exec stdin' 0 '^abc' '(echo abc; sleep 2) | task exec --exec-id e b1 cat'
check 'exec terminal' 0 '/dev/pts/' 'tty "task exec -t --exec-id e b1 sh -c \"tty; sleep 0.3\""'
check 'exec user, cwd' 0 '1000.*/mnt' 'task exec --user 1000 --cwd /mnt --exec-id e b1 sh -c "id -u; pwd; sleep 0.3"'
check 'exec of an absent command' '!0' 'executable file not found' 'task exec --exec-id e b1 nosuchcmd'
check 'ten execs at once' 0 '^10$' 'for i in 0 1 2 3 4 5 6 7 8 9; do task exec --exec-id e$i b1 sh -c "echo n$i; sleep 0.3" & done | sort -u | wc -l'
check 'ps' 0 "PID" 'task ps b1 | tee $T/ps; grep -q $(pid b1) $T/ps'
check 'metrics' 0 'memory' 'task metrics b1'
check 'pause' 0 '^PAUSED$' 'task pause b1 && state b1'
check 'resume' 0 '^RUNNING$' 'task resume b1 && state b1'
check 'kill TERM, exit status' 0 '^STOPPED$' 'task kill -s TERM b1; wait_for "[ \$(state b1) = STOPPED ]"; state b1'
check 'task delete tells the exit status' 0 'exit code 5' 'task delete b1'
check 'kill --all' 0 '^STOPPED$' 'task kill -a -s KILL b2; wait_for "[ \$(state b2) = STOPPED ]"; state b2'
check 'container delete' 0 '^$' 'task delete b2 2>/dev/null; c container delete b1 b2; c container ls -q'
check 'task delete --force' 0 '' 'run -d b3 sleep 99; task delete -f b3; s=$?; c container delete b3; [ $s = 137 ] || [ $s = 0 ]'
check 'task start after delete' 0 '^RUNNING$' 'run -d b4 sleep 99; task delete -f b4 2>/dev/null; task start -d b4 && state b4; gone b4 >/dev/null 2>&1'
check 'pid 1 is the command' 0 '^1' 'run --rm a1 sh -c "echo \$\$"'
check 'memory limit' 0 '^67108864$' 'run -d --memory-limit=67108864 --cpus=0.5 d1 sleep 99; cgval $(pid d1) memory memory.limit_in_bytes memory.max'
check 'cpu limit' 0 '^50000' 'cgval $(pid d1) cpu cpu.cfs_quota_us cpu.max; gone d1'
check 'cgroup path' 0 "/$CG/other" 'run -d --cgroup=/$CG/other d2 sleep 99; cat /proc/$(pid d2)/cgroup; gone d2'
check 'bind mount, read-only' 1 'Read-only' 'run --rm --mount=type=bind,src=$T/tmp,dst=/v,options=rbind:ro a1 touch /v/x'
check 'read-only root' 1 'Read-only' 'run --rm --read-only a1 touch /x'
check 'env, cwd' 0 '^v /mnt' 'run --rm --env=A=v --cwd=/mnt a1 sh -c "echo \$A \$PWD"'
check 'net-host' 0 '' '[ "$(readlink /proc/self/ns/net)" = "$(run --rm --net-host a1 readlink /proc/self/ns/net)" ]'
check 'namespace by path' 0 '' 'unshare -n sleep 30 & wait_for "[ \$(readlink /proc/$!/ns/net) != \$(readlink /proc/self/ns/net) ]"; [ "$(readlink /proc/$!/ns/net)" = "$(run --rm --with-ns=network:/proc/$!/ns/net a1 readlink /proc/self/ns/net)" ]'
check 'default seccomp' 1 'not permitted' 'run --rm --seccomp a1 unshare -U true'
check 'no new privileges by default' 0 'NoNewPrivs:.1' 'run --rm a1 cat /proc/self/status'
check 'capabilities' 0 'CapEff:.00000000a80435fb' 'run --rm --cap-add=CAP_NET_ADMIN a1 cat /proc/self/status'
check 'user namespace' 0 '0 +100000 +1000' 'run --rm --uidmap=0:100000:1000 --gidmap=0:100000:1000 --remap-labels a1 cat /proc/self/uid_map'
check 'rootfs directory' 0 '^hello' 'c run --rm --runtime io.containerd.runc.v2 --runc-binary $RT --env=PATH=/bin --rootfs $T/rootfs a2 echo hello'
check 'ten at once' 0 '^10$' 'for i in 0 1 2 3 4 5 6 7 8 9; do run --rm p$i echo n$i & done | sort -u | wc -l'
check 'containerd restart keeps tasks' 0 '^RUNNING$' 'run -d k1 sleep 99; kill $(cat $T/cpid); wait_for "! kill -0 $(cat $T/cpid)"; containerd -c $T/config.toml >>$T/containerd.log 2>&1 & wait_for "! pidof containerd >/dev/null" 3; wait_for "c version"; state k1'
check 'exec after the restart' 0 '^hi' 'task exec --exec-id e k1 sh -c "echo hi; sleep 0.3"; gone k1 >/dev/null'
check 'runtime state is gone' 0 '^$' 'ls /run/containerd/runc/$NS 2>/dev/null'
check 'cgroups are gone' 0 '^$' cgroups_left
finish
