# What the benchmarks share: the binary, a place for files, processes that end with the script, and free ports. To be
# sourced from the project's root.

if [[ -z ${LBCTL:-} ]]; then
    cargo build --release
    LBCTL=${CARGO_TARGET_DIR:-target}/release/lbctl
fi

work=$(mktemp -d)
pids=()
finish() {
    ((${#pids[@]} == 0)) || kill "${pids[@]}" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

# a port that was free a moment ago; none is given twice
next_port=$((20000 + RANDOM % 8000))
free_port() {
    while (exec 3<>"/dev/tcp/127.0.0.1/$next_port") 2>/dev/null; do next_port=$((next_port + 1)); done
    port=$next_port
    next_port=$((next_port + 1))
}
