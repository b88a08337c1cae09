#!/usr/bin/env bash
# What a request costs: `lbctl probe` beside oha, in one run.
#
# Both send the same number of requests, 32 at once, to an nginx in front of five loopback upstreams that name themselves in
# a header, a JSON body or an HTML page of 100 to 400 bytes; over kept connections and over fresh ones. lbctl records for
# each response which instance sent it, oha when and how long. The rounds are interleaved, so that whatever else the
# machine does hits all alike: trust the ratios, not the absolute figures. The cost is the CPU time (user and system) of the
# whole command divided by the requests that it was asked for; the memory is the most it had at once.
#
# usage: tests/bench/probe.sh [ROUNDS [REQUESTS]]   LBCTL=, OHA=: other binaries than this checkout's build and $PATH's
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PATH:/usr/sbin:/usr/local/sbin"

rounds=${1:-5}
requests=${2:-100000}
((rounds >= 1 && rounds <= 50 && requests >= 1000 && requests <= 1000000 && requests % 5 == 0)) ||
    { echo "1 to 50 rounds of 1000 to 1000000 requests, as many for each of five upstreams" >&2; exit 2; }
oha=${OHA:-oha}
for program in nginx "$oha" /usr/bin/time jq; do
    command -v "$program" >/dev/null || { echo "error: $program is missing" >&2; exit 3; }
done
. tests/bench/common.sh

upstreams=()
for _ in 1 2 3 4 5; do
    free_port
    upstreams+=("127.0.0.1:$port")
done
free_port
balancer=$port

server() { # name, address: what the upstreams say, under a path for each way to say it
    local html json
    html=$(printf '<!doctype html><title>web</title><p>%s<h1 id="hostname">%s</h1>' "$(printf 'x%.0s' {1..300})" "$1")
    json=$(printf '{"hostname":"%s","service":"web","request":$connection_requests,"time":"$time_iso8601"}' "$1")
    printf 'server { listen %s; default_type text/plain;\n' "$2"
    printf "  location /header { add_header X-Served-By %s; return 200 '%s'; }\n" "$1" "$(printf 'x%.0s' {1..100})"
    printf "  location /json { default_type application/json; return 200 '%s'; }\n" "$json"
    printf "  location /html { default_type text/html; return 200 '%s'; }\n}\n" "$html"
}
{
    printf 'daemon off; worker_processes 1; pid %s; error_log %s;\nevents { worker_connections 4096; }\n' "$work/pid" "$work/log"
    printf 'http { access_log off; keepalive_requests 1000000000;\n'
    printf "%s_temp_path $work/tmp;\n" client_body proxy fastcgi uwsgi scgi
    for n in 0 1 2 3 4; do server "web-$n" "${upstreams[n]}"; done
    printf 'upstream five { %s keepalive 200; keepalive_requests 1000000000; }\n' "$(printf 'server %s; ' "${upstreams[@]}")"
    printf 'server { listen 127.0.0.1:%s; location / { proxy_pass http://five; proxy_http_version 1.1; proxy_set_header Connection ""; } } }\n' "$balancer"
} >"$work/nginx.conf"
nginx -e stderr -c "$work/nginx.conf" 2>"$work/nginx.err" &
pids+=($!)
for _ in {1..500}; do
    (exec 3<>"/dev/tcp/127.0.0.1/$balancer") 2>/dev/null && break
    sleep 0.02
done

declare -A flag=([lbctl-kept]="" [lbctl-fresh]="--connection fresh" [oha-kept]="" [oha-fresh]="--disable-keepalive")
measure() { # who, connections, path, requests
    local url="http://127.0.0.1:$balancer/$3" command
    # shellcheck disable=SC2206 # flags are words
    case $1 in
    lbctl) command=("$LBCTL" probe --no-lab -n "$4" -c 32 ${flag[lbctl-$2]} "$url") ;;
    oha) command=("$oha" --no-tui --output-format json -n "$4" -c 32 ${flag[oha-$2]} "$url") ;;
    esac
    /usr/bin/time -f '%U %S %M' -o "$work/cost" "${command[@]}" >"$work/out" 2>"$work/err" ||
        { cat "$work/err" >&2; exit 1; }
    case $1 in
    # the balancer takes turns: each of five instances is recorded a fifth of the requests
    lbctl) grep -q "$(($4 / 5)) to each" "$work/out" ;;
    oha) (($(jq '.statusCodeDistribution["200"]' "$work/out") == $4)) ;;
    esac || { echo "error: $1 did not record $4 answers: $(<"$work/out")" >&2; exit 1; }
    echo "$1 $2 $3 $(cat "$work/cost") $4" >>"$work/results"
}

for connections in kept fresh; do
    for path in header json html; do
        for who in lbctl oha; do measure $who $connections $path 1000; done # caches warm up
    done
done
: >"$work/results"
for ((round = 1; round <= rounds; round++)); do
    for connections in kept fresh; do
        for path in header json html; do
            order=(lbctl oha)
            ((round % 2)) || order=(oha lbctl)
            for who in "${order[@]}"; do measure "$who" "$connections" "$path" "$requests"; done
        done
    done
    echo "round $round/$rounds" >&2
done

awk '
    { key = $2 " " $3; keys[key]; n[$1, key]++; cost[$1, key, n[$1, key]] = ($4 + $5) * 1e6 / $7
      if ($6 > memory[$1, key]) memory[$1, key] = $6 }
    # the median is not moved by a round in which the machine was busy with something else
    function median(who, key,    i, j, t, v, k) {
        k = n[who, key]
        for (i = 1; i <= k; i++) v[i] = cost[who, key, i]
        for (i = 2; i <= k; i++) for (j = i; j > 1 && v[j] < v[j - 1]; j--) { t = v[j]; v[j] = v[j - 1]; v[j - 1] = t }
        return k % 2 ? v[(k + 1) / 2] : (v[k / 2] + v[k / 2 + 1]) / 2
    }
    END {
        printf "%-12s %-8s %12s %12s %8s %12s %12s\n", "connections", "name in", "lbctl µs", "oha µs", "ratio", "lbctl MB", "oha MB"
        for (key in keys) {
            split(key, part, " ")
            printf "%-12s %-8s %12.1f %12.1f %7.2f× %12.1f %12.1f\n", part[1], part[2], median("lbctl", key), median("oha", key),
                median("lbctl", key) / median("oha", key), memory["lbctl", key] / 1024, memory["oha", key] / 1024 | "sort"
        }
    }' "$work/results"
