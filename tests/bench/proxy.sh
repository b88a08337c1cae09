#!/usr/bin/env bash
# What a request costs: the bundled proxy beside nginx and HAProxy, one thread each, in one run.
#
# Five loopback upstreams (one nginx process on five ports, a 100-byte body) stand behind each proxy in turn, which is
# loaded over 32 kept connections for a few seconds. The rounds are interleaved, so that whatever else the machine does
# hits all alike: trust the ratios, not the absolute figures. The cost is the CPU time of the proxy's own processes
# (utime and stime, from /proc) divided by the requests it answered.
#
# usage: tests/bench/proxy.sh [ROUNDS [SECONDS]]          LBCTL=path/to/lbctl: another binary than this checkout's build
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PATH:/usr/sbin:/usr/local/sbin"

rounds=${1:-5}
seconds=${2:-5}
((rounds >= 1 && rounds <= 50 && seconds >= 1 && seconds <= 60)) || { echo "1 to 50 rounds of 1 to 60 seconds" >&2; exit 2; }

for program in nginx haproxy wrk; do
    command -v "$program" >/dev/null || { echo "error: $program is missing" >&2; exit 3; }
done
. tests/bench/common.sh

wait_for() { # port
    for _ in {1..500}; do
        (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
        sleep 0.02
    done
    echo "error: nothing listens on port $1" >&2
    exit 3
}

start() { # name, port, command…
    local name=$1 listening=$2
    shift 2
    "$@" >/dev/null 2>"$work/$name.err" &
    pids+=($!)
    pid[$name]=$!
    port_of[$name]=$listening
    wait_for "$listening"
}

nginx_conf() { # http block
    local temporary
    temporary=$(printf "%s_temp_path $work/tmp;" client_body proxy fastcgi uwsgi scgi)
    printf 'daemon off; worker_processes 1; pid %s; error_log %s;\nevents { worker_connections 4096; }\n' \
        "$work/$RANDOM.pid" "$work/nginx.log"
    printf 'http { access_log off; keepalive_requests 1000000000; %s\n%s }\n' "$temporary" "$1"
}

declare -A pid port_of cpu requests order
body=$(printf 'x%.0s' {1..100})
upstreams=()
for _ in 1 2 3 4 5; do
    free_port
    upstreams+=("127.0.0.1:$port")
done

servers=$(printf "server { listen %s; location / { return 200 '$body'; } }\n" "${upstreams[@]}")
nginx_conf "$servers" >"$work/upstream.conf"
start upstream "${upstreams[4]##*:}" nginx -e stderr -c "$work/upstream.conf"

free_port
nginx_conf "upstream five { $(printf 'server %s; ' "${upstreams[@]}") keepalive 200; keepalive_requests 1000000000; }
    server { listen 127.0.0.1:$port; location / {
        proxy_pass http://five; proxy_http_version 1.1; proxy_set_header Connection ''; proxy_set_header Host \$host;
        proxy_set_header X-Forwarded-For \$remote_addr; proxy_set_header X-Forwarded-Host \$host;
        proxy_set_header X-Forwarded-Port \$server_port; proxy_set_header X-Forwarded-Proto \$scheme;
        proxy_set_header X-Forwarded-Server bench; proxy_set_header X-Real-Ip \$remote_addr; } }" >"$work/nginx.conf"
start nginx "$port" nginx -e stderr -c "$work/nginx.conf"

free_port
{
    printf 'global\n  nbthread 1\n  maxconn 4096\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n'
    printf '  timeout server 60s\n  http-reuse always\nfrontend in\n  bind 127.0.0.1:%s\n  default_backend five\n' "$port"
    printf 'backend five\n  balance roundrobin\n  option forwardfor\n  http-request set-header X-Forwarded-Host %%[req.hdr(host)]\n'
    printf '  http-request set-header X-Forwarded-Port %%[dst_port]\n  http-request set-header X-Forwarded-Proto http\n'
    printf '  http-request set-header X-Forwarded-Server bench\n  http-request set-header X-Real-Ip %%[src]\n'
    for n in 0 1 2 3 4; do printf '  server s%s %s\n' "$n" "${upstreams[n]}"; done
} >"$work/haproxy.cfg"
start haproxy "$port" haproxy -q -db -f "$work/haproxy.cfg"

upstream_flags=("${upstreams[@]/#/--upstream=}")
free_port
start lbctl "$port" "$LBCTL" proxy --threads 1 --quiet --port "$port" --bind 127.0.0.1 "${upstream_flags[@]}"
free_port
start lbctl+log "$port" "$LBCTL" proxy --threads 1 --port "$port" --bind 127.0.0.1 "${upstream_flags[@]}"

children() { # pid: itself and everything below it
    local child
    echo "$1"
    for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do children "$child"; done
}

ticks() { # name: clock ticks that its processes have used
    local process stat sum=0
    for process in $(children "${pid[$1]}"); do
        stat=$(<"/proc/$process/stat")
        # behind the name, which may hold anything, utime and stime are the 12th and 13th
        read -ra stat <<<"${stat##*) }"
        sum=$((sum + stat[11] + stat[12]))
    done
    echo "$sum"
}

measure() { # name, seconds
    local before after out
    before=$(ticks "$1")
    out=$(wrk -t1 -c32 -d"$2s" "http://127.0.0.1:${port_of[$1]}/")
    after=$(ticks "$1")
    if grep -q 'Non-2xx\|Socket errors' <<<"$out"; then
        echo "error: $1 did not answer everything: $out" >&2
        exit 1
    fi
    measured_requests=$(awk '/requests in/ { print $1 }' <<<"$out")
    measured_ticks=$((after - before))
}

names=(nginx haproxy lbctl lbctl+log)
for name in "${names[@]}"; do measure "$name" 1; done # connections and caches warm up
for ((round = 0; round < rounds; round++)); do
    for ((turn = 0; turn < ${#names[@]}; turn++)); do
        name=${names[(turn + round) % ${#names[@]}]}
        measure "$name" "$seconds"
        printf '%s %s %s\n' "$name" "$measured_ticks" "$measured_requests" >>"$work/results"
        echo "round $((round + 1))/$rounds: $name" >&2
    done
done

awk -v hz="$(getconf CLK_TCK)" -v seconds="$seconds" -v names="${names[*]}" '
    { n[$1]++; cost[$1, n[$1]] = $2 * 1e6 / hz / $3; rate[$1, n[$1]] = $3 / seconds }
    # the median is not moved by a round in which the machine was busy with something else
    function median(of, name,    i, j, t, v, k) {
        k = n[name]
        for (i = 1; i <= k; i++) v[i] = of[name, i]
        for (i = 2; i <= k; i++) for (j = i; j > 1 && v[j] < v[j - 1]; j--) { t = v[j]; v[j] = v[j - 1]; v[j - 1] = t }
        return k % 2 ? v[(k + 1) / 2] : (v[k / 2] + v[k / 2 + 1]) / 2
    }
    END {
        count = split(names, name, " ")
        nginx = median(cost, "nginx"); haproxy = median(cost, "haproxy")
        printf "%-10s %14s %12s %10s %12s\n", "proxy", "CPU µs/request", "requests/s", "of nginx", "of HAProxy"
        for (i = 1; i <= count; i++) {
            c = median(cost, name[i])
            printf "%-10s %14.1f %12.0f %9.2f× %11.2f×\n", name[i], c, median(rate, name[i]), c / nginx, c / haproxy
        }
    }' "$work/results"
