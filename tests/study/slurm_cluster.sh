#!/usr/bin/env bash
# A real one-node Slurm without accounting on this machine, its whole state in one folder. Run as root.
#   tests/study/slurm_cluster.sh start DIR    then: export SLURM_CONF=DIR/slurm.conf
#   tests/study/slurm_cluster.sh stop DIR
# DIR must be short (a unix socket lies in it) and on a local disk. The ports are free ones, so an installed Slurm
# is left alone.
set -euo pipefail

action=${1:?start or stop}
dir=${2:?a folder for the state}

# By pid file; a zombie, which an init that does not reap leaves behind, is dead.
alive() { [[ -s $1 ]] && grep -qs '^State:[[:space:]]*[^Z]' "/proc/$(<"$1")/status"; }

stop() {
    local daemon pidfile
    for daemon in slurmctld slurmd munged; do
        pidfile=$dir/$daemon.pid
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
    local host cpus memory ctld_port slurmd_port
    host=$(hostname -s)
    cpus=$(nproc)
    memory=$(awk '/MemTotal/ {print int($2 / 1024)}' /proc/meminfo)
    read -r ctld_port slurmd_port < <(free_ports 2)
    mkdir -p "$dir/state" "$dir/spool"
    dd if=/dev/urandom of="$dir/munge.key" bs=128 count=1 status=none
    chmod 400 "$dir/munge.key"
    # config_overrides: the node offers at least what the study's largest job asks for, whatever this machine has.
    cat >"$dir/slurm.conf" <<CONF
ClusterName=topomod
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$ctld_port
SlurmdPort=$slurmd_port
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
ReturnToService=2
MailProg=/bin/true
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
NodeName=$host NodeAddr=127.0.0.1 CPUs=$((cpus > 4 ? cpus : 4)) RealMemory=$((memory > 16000 ? memory : 16000)) State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
}

start() {
    configure
    # --force: the folder lies under a world-writable one
    munged --force --socket="$dir/munge.socket" --key-file="$dir/munge.key" --pid-file="$dir/munged.pid" \
        --log-file="$dir/munged.log" --seed-file="$dir/munge.seed" 2>>"$dir/munged.log" || give_up "munged did not start"
    export SLURM_CONF=$dir/slurm.conf
    slurmctld -f "$SLURM_CONF" || give_up "slurmctld did not start"
    slurmd -f "$SLURM_CONF" || give_up "slurmd did not start"
    for _ in {1..60}; do
        if [[ $(sinfo --noheader --format=%T 2>/dev/null) == idle ]]; then return; fi
        sleep 0.5
    done
    give_up "the node did not become idle in 30 s: $(sinfo --noheader --format='%T %E' 2>&1)"
}

case $action in
start) start ;;
stop) stop ;;
*) echo "slurm_cluster.sh: start or stop, not '$action'" >&2; exit 2 ;;
esac
