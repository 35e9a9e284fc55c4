#!/usr/bin/env bash
# A real Slurm without accounting on this machine, its whole state in one folder. Run as root.
#   tests/study/slurm_cluster.sh start DIR [NODES [FOLDER...]]    then: export SLURM_CONF=DIR/slurm.conf
#   tests/study/slurm_cluster.sh stop DIR
# DIR must be short (a unix socket lies in it), on a local disk and outside /tmp: each node has a /tmp of its own, as machines of a
# cluster have. Of the folders under this machine's /tmp, a node has those that are named. The ports are free ones, so an installed
# Slurm is left alone. Jobs that use more memory than they asked for are killed.
set -euo pipefail

action=${1:?start or stop}
dir=${2:?a folder for the state}
nodes=${3:-1}
shared=("${@:4}")

# By pid file; a zombie, which an init that does not reap leaves behind, is dead.
alive() { [[ -s $1 ]] && grep -qs '^State:[[:space:]]*[^Z]' "/proc/$(<"$1")/status"; }

stop() {
    local pidfile
    for pidfile in "$dir"/slurmctld.pid "$dir"/slurmd.*.pid "$dir"/munged.pid; do
        alive "$pidfile" || continue
        cp "$pidfile" "$pidfile.stopping" # the daemon removes its own
        kill "$(<"$pidfile.stopping")" || true
        for _ in {1..100}; do
            alive "$pidfile.stopping" || continue 2
            sleep 0.1
        done
        kill -KILL "$(<"$pidfile.stopping")" || true
    done
}

give_up() {
    echo "slurm_cluster.sh: $1" >&2
    tail -n 20 "$dir"/*.log >&2 || true
    stop
    exit 1
}

free_ports() {
    python3 - "$1" <<'PYTHON'
import socket, sys
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(s.getsockname()[1] for s in sockets))
PYTHON
}

configure() {
    local host cpus memory ctld_port ports
    host=$(hostname -s)
    cpus=$(nproc)
    memory=$(awk '/MemTotal/ {print int($2 / 1024)}' /proc/meminfo)
    read -ra ports < <(free_ports $((nodes + 1)))
    ctld_port=${ports[nodes]}
    mkdir -p "$dir/state" "$dir/spool"
    dd if=/dev/urandom of="$dir/munge.key" bs=128 count=1 status=none
    chmod 400 "$dir/munge.key"
    # config_overrides: the node offers at least what the study's largest job asks for, whatever this machine has.
    cat >"$dir/slurm.conf" <<CONF
ClusterName=topomod
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$ctld_port
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
ReturnToService=2
MailProg=/bin/true
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool.%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.%n.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.%n.log
PartitionName=main Nodes=ALL Default=YES LLN=YES MaxTime=INFINITE State=UP OverTimeLimit=0
CONF
    for ((node = 1; node <= nodes; node++)); do
        echo "NodeName=node$node NodeHostname=$host NodeAddr=127.0.0.1 Port=${ports[node - 1]}" \
            "CPUs=$((cpus > 4 ? cpus : 4)) RealMemory=$((memory > 16000 ? memory : 16000)) State=UNKNOWN" >>"$dir/slurm.conf"
    done
}

# An environment or a checkout may lie in this machine's /tmp: it is bound into the node's before that takes the place of /tmp.
start_node() {
    mkdir -p "$dir/tmp.$1"
    unshare --mount bash -c '
        set -e
        tmp=$1 node=$2
        mount -t tmpfs tmpfs "$tmp"
        for folder in "${@:3}"; do
            [[ $folder == /tmp/* ]] || continue
            mkdir -p "$tmp/${folder#/tmp/}"
            mount --bind "$folder" "$tmp/${folder#/tmp/}"
        done
        mount --rbind "$tmp" /tmp
        exec slurmd -f "$SLURM_CONF" -N "$node"' bash "$dir/tmp.$1" "$1" "${shared[@]}" || give_up "slurmd of $1 did not start"
}

start() {
    configure
    # --force: the folder lies under a world-writable one
    munged --force --socket="$dir/munge.socket" --key-file="$dir/munge.key" --pid-file="$dir/munged.pid" \
        --log-file="$dir/munged.log" --seed-file="$dir/munge.seed" 2>>"$dir/munged.log" || give_up "munged did not start"
    export SLURM_CONF=$dir/slurm.conf
    slurmctld -f "$SLURM_CONF" || give_up "slurmctld did not start"
    for ((node = 1; node <= nodes; node++)); do
        start_node "node$node"
    done
    for _ in {1..120}; do
        if [[ $(sinfo --noheader --Node --format=%T 2>/dev/null | grep -c idle) == "$nodes" ]]; then return; fi
        sleep 0.5
    done
    give_up "the nodes did not become idle in 60 s: $(sinfo --noheader --format='%N %T %E' 2>&1)"
}

case $action in
start) start ;;
stop) stop ;;
*) echo "slurm_cluster.sh: start or stop, not '$action'" >&2; exit 2 ;;
esac
