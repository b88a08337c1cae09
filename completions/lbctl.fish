# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_lbctl_global_optspecs
    string join \n debug h/help V/version
end

function __fish_lbctl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_lbctl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_lbctl_using_subcommand
    set -l cmd (__fish_lbctl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c lbctl -n "__fish_lbctl_needs_command" -l debug -d 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same'
complete -c lbctl -n "__fish_lbctl_needs_command" -s h -l help -d 'Print help'
complete -c lbctl -n "__fish_lbctl_needs_command" -s V -l version -d 'Print version'
complete -c lbctl -n "__fish_lbctl_needs_command" -f -a "up" -d 'Start the lab: replicas behind a load balancer, until ^C stops everything'
complete -c lbctl -n "__fish_lbctl_needs_command" -f -a "scale" -d 'Change the number of replicas while the lab runs'
complete -c lbctl -n "__fish_lbctl_needs_command" -f -a "ps" -d 'Show what runs where'
complete -c lbctl -n "__fish_lbctl_needs_command" -f -a "logs" -d 'Show the requests that the lab answered'
complete -c lbctl -n "__fish_lbctl_needs_command" -f -a "down" -d 'Stop the lab'
complete -c lbctl -n "__fish_lbctl_needs_command" -f -a "probe" -d 'Send requests to any HTTP load balancer and prove how it balances'
complete -c lbctl -n "__fish_lbctl_needs_command" -f -a "session-test" -d 'Log in, reload, and show where the session is found and lost'
complete -c lbctl -n "__fish_lbctl_needs_command" -f -a "proxy" -d 'Run the bundled load balancer on its own, for any upstreams or containers'
complete -c lbctl -n "__fish_lbctl_needs_command" -f -a "export" -d 'Write the lab\'s files to a directory, to edit them'
complete -c lbctl -n "__fish_lbctl_needs_command" -f -a "completions" -d 'Print completions for a shell'
complete -c lbctl -n "__fish_lbctl_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c lbctl -n "__fish_lbctl_using_subcommand up" -l web-static -d 'Replicas of web_static' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand up" -l web-dynamic -d 'Replicas of web_dynamic' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand up" -l scale -d 'Replicas of any service of the compose file' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand up" -l engine -d 'What runs the replicas' -r -f -a "embedded\t'Processes of lbctl\'s own, which need nothing'
compose\t'Containers, by Docker Compose'"
complete -c lbctl -n "__fish_lbctl_using_subcommand up" -l proxy -d 'What balances [default: bundled; with --engine compose, traefik]' -r -f -a "traefik\t'Traefik, in a container of the lab'
bundled\t'lbctl\'s own'"
complete -c lbctl -n "__fish_lbctl_using_subcommand up" -l sticky -d 'Keep each client on its replica, by a cookie' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand up" -l strategy -d 'How the next replica is picked' -r -f -a "round-robin\t'1-2-3-1-2-3, strictly in order'
random\t'Every replica with the same chance'
p2c\t'The less busy of two picked at random'
hrw\t'By the client\'s address (highest random weight)'"
complete -c lbctl -n "__fish_lbctl_using_subcommand up" -l port -d 'The port, taken at its word; 0 takes any free one [default: the lab\'s (80), else 8080, else any free one]' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand up" -l bind -d 'The address to listen on [default: loopback, 127.0.0.1 and ::1]' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand up" -s f -l file -d 'Another compose file than the built-in lab\'s' -r -F
complete -c lbctl -n "__fish_lbctl_using_subcommand up" -l wait -d 'How long replicas may take to answer, in seconds since the last one got on (with --engine compose)' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand up" -s p -l project -d 'The lab\'s name; several can run side by side' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand up" -l format -d 'How data is printed' -r -f -a "table\t'For people'
json\t'For scripts'"
complete -c lbctl -n "__fish_lbctl_using_subcommand up" -s d -l detach -d 'Return once every replica answers; the lab goes on in the background'
complete -c lbctl -n "__fish_lbctl_using_subcommand up" -l debug -d 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same'
complete -c lbctl -n "__fish_lbctl_using_subcommand up" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lbctl -n "__fish_lbctl_using_subcommand scale" -l web-static -d 'Replicas of web_static' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand scale" -l web-dynamic -d 'Replicas of web_dynamic' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand scale" -s p -l project -d 'The lab\'s name; several can run side by side' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand scale" -l format -d 'How data is printed' -r -f -a "table\t'For people'
json\t'For scripts'"
complete -c lbctl -n "__fish_lbctl_using_subcommand scale" -l debug -d 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same'
complete -c lbctl -n "__fish_lbctl_using_subcommand scale" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lbctl -n "__fish_lbctl_using_subcommand ps" -s p -l project -d 'The lab\'s name; several can run side by side' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand ps" -l format -d 'How data is printed' -r -f -a "table\t'For people'
json\t'For scripts'"
complete -c lbctl -n "__fish_lbctl_using_subcommand ps" -l debug -d 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same'
complete -c lbctl -n "__fish_lbctl_using_subcommand ps" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lbctl -n "__fish_lbctl_using_subcommand logs" -s p -l project -d 'The lab\'s name; several can run side by side' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand logs" -l format -d 'How data is printed' -r -f -a "table\t'For people'
json\t'For scripts'"
complete -c lbctl -n "__fish_lbctl_using_subcommand logs" -s f -l follow -d 'Go on until ^C'
complete -c lbctl -n "__fish_lbctl_using_subcommand logs" -l debug -d 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same'
complete -c lbctl -n "__fish_lbctl_using_subcommand logs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lbctl -n "__fish_lbctl_using_subcommand down" -s p -l project -d 'The lab\'s name; several can run side by side' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand down" -l debug -d 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same'
complete -c lbctl -n "__fish_lbctl_using_subcommand down" -s h -l help -d 'Print help'
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -l connect -d 'Connect here; URL, Host header, SNI and cookies stay the target\'s' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -s p -l project -d 'The running lab to use [default: the one that routes the host; among several, $LBCTL_PROJECT]' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -l timeout -d 'How long a request may take, in seconds' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -l rate -d 'Requests a second, at most' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -s H -l header -d 'A header for every request; the value may be env:NAME or file:PATH' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -l identity -d 'How an instance says who it is: header:NAME, header:NAME~PATTERN, json:/POINTER or regex:PATTERN [default: found out]' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -l login -d 'The login: \'POST /login user=alice\'; a value may be env:NAME or file:PATH' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -l check -d 'The request that shows the session: \'GET /session\'' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -l logged-in -d 'How the check shows a login: json:/POINTER=VALUE, regex:PATTERN or status:CODE' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -l addresses -d 'Which addresses of the target\'s name are asked, where DNS knows several' -r -f -a "first\t'The first one that takes connections'
each\t'Each in turn, and the verdicts are compared'"
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -l path -d 'The path to ask for [default: the target\'s]' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -s n -l requests -d 'Requests in each series; with -c, in the one without a cookie jar alone [default: enough for the verdict]' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -s c -l concurrency -d 'Requests under way at once, in the series without a cookie jar' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -l connection -d 'Whether connections are kept from one request to the next [default: fresh; those under way at once with -c, reused]' -r -f -a "fresh\t'A new one for each request, which shows every pick of the balancer'
reused\t'Kept, as a browser does; a balancer may pick once per connection'"
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -l save -d 'Keep what was seen, to judge it again or to show it; `-` is standard output' -r -F
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -l replay -d 'Judge what --save kept, and send nothing; `-` is standard input' -r -F
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -l alpha -d 'The chance of a false verdict that is accepted: a smaller one takes more requests' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -l expect -d 'Exit with 1 if the verdict contradicts this, with 4 if it leaves it open; repeat it for more' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -l experiments -d 'The experiments to make; `list` shows them [default: chosen by what earlier experiments show]' -r -f -a "order\t'The order of requests without cookies (always made: the others are compared with it)'
jar\t'A client that keeps its cookies, and which of them keeps it'
connection\t'Requests over one kept connection'
sources\t'Requests from several addresses of this machine'
paths\t'Query strings and paths, or those of --paths'
header\t'Values of a header (needs --vary-header)'
slow\t'Instances that are kept busy (needs --slow-path, or a lab)'
list\t'Print what there is, and send nothing'"
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -l from -d 'Addresses of this machine to send from [default: for a target on loopback, any of 127.0.0.0/8]' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -l paths -d 'Paths to vary [default: query strings, then paths below the target\'s]' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -l vary-header -d 'A header whose value may decide who answers' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -l slow-path -d 'A path that takes its time, to keep instances busy: \'/api/?delay=2000\' [default: found out in a lab]' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -l format -d 'How data is printed' -r -f -a "table\t'For people'
json\t'For scripts'"
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -l no-lab -d 'Do not look for a running lab that routes the host'
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -s k -l insecure -d 'Do not verify the server\'s certificate'
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -l verbose -d 'Show the figures behind the verdict as well: tests, probabilities, sizes of samples, response times'
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -l strict -d 'The algorithm that is expected must be the only one that fits'
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -l debug -d 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same'
complete -c lbctl -n "__fish_lbctl_using_subcommand probe" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lbctl -n "__fish_lbctl_using_subcommand session-test" -l connect -d 'Connect here; URL, Host header, SNI and cookies stay the target\'s' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand session-test" -s p -l project -d 'The running lab to use [default: the one that routes the host; among several, $LBCTL_PROJECT]' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand session-test" -l timeout -d 'How long a request may take, in seconds' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand session-test" -l rate -d 'Requests a second, at most' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand session-test" -s H -l header -d 'A header for every request; the value may be env:NAME or file:PATH' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand session-test" -l identity -d 'How an instance says who it is: header:NAME, header:NAME~PATTERN, json:/POINTER or regex:PATTERN [default: found out]' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand session-test" -l login -d 'The login: \'POST /login user=alice\'; a value may be env:NAME or file:PATH' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand session-test" -l check -d 'The request that shows the session: \'GET /session\'' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand session-test" -l logged-in -d 'How the check shows a login: json:/POINTER=VALUE, regex:PATTERN or status:CODE' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand session-test" -l expect -d 'Exit with 1 unless the session is lost, or kept [default: what the lab\'s configuration says]' -r -f -a "lost\t'At least one reload does not see the login'
kept\t'Every reload sees the login'"
complete -c lbctl -n "__fish_lbctl_using_subcommand session-test" -s n -l reloads -d 'Reloads after the login [default: 10, or as many as it takes to be sure]' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand session-test" -l format -d 'How data is printed' -r -f -a "table\t'For people'
json\t'For scripts'"
complete -c lbctl -n "__fish_lbctl_using_subcommand session-test" -l no-lab -d 'Do not look for a running lab that routes the host'
complete -c lbctl -n "__fish_lbctl_using_subcommand session-test" -s k -l insecure -d 'Do not verify the server\'s certificate'
complete -c lbctl -n "__fish_lbctl_using_subcommand session-test" -l fresh -d 'Start a lab for this test alone, even if one is running'
complete -c lbctl -n "__fish_lbctl_using_subcommand session-test" -l sticky -d 'Keep clients on their replica by a cookie, in the lab that is started for this test'
complete -c lbctl -n "__fish_lbctl_using_subcommand session-test" -l debug -d 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same'
complete -c lbctl -n "__fish_lbctl_using_subcommand session-test" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lbctl -n "__fish_lbctl_using_subcommand proxy" -s u -l upstream -d 'A server to forward to; repeat it for more' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand proxy" -s p -l project -d 'Only to the containers of this compose project' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand proxy" -l rule -d 'Which requests to forward, in Traefik\'s rule syntax' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand proxy" -l strategy -d 'How the next upstream is picked' -r -f -a "round-robin\t'1-2-3-1-2-3, strictly in order'
random\t'Every replica with the same chance'
p2c\t'The less busy of two picked at random'
hrw\t'By the client\'s address (highest random weight)'"
complete -c lbctl -n "__fish_lbctl_using_subcommand proxy" -l port -d 'The port; 0 takes any free one' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand proxy" -l bind -d 'The address to listen on [default: loopback, 127.0.0.1 and ::1]' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand proxy" -l threads -d 'Threads that forward [default: one per processor]' -r
complete -c lbctl -n "__fish_lbctl_using_subcommand proxy" -l docker -d 'Forward to Docker\'s containers, as their labels for Traefik say'
complete -c lbctl -n "__fish_lbctl_using_subcommand proxy" -l exposed-by-default -d 'Also to containers that do not say traefik.enable'
complete -c lbctl -n "__fish_lbctl_using_subcommand proxy" -l sticky -d 'Keep each client on its upstream, by a cookie'
complete -c lbctl -n "__fish_lbctl_using_subcommand proxy" -s q -l quiet -d 'Do not print a line per request'
complete -c lbctl -n "__fish_lbctl_using_subcommand proxy" -l debug -d 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same'
complete -c lbctl -n "__fish_lbctl_using_subcommand proxy" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c lbctl -n "__fish_lbctl_using_subcommand export" -l debug -d 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same'
complete -c lbctl -n "__fish_lbctl_using_subcommand export" -s h -l help -d 'Print help'
complete -c lbctl -n "__fish_lbctl_using_subcommand completions" -l debug -d 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same'
complete -c lbctl -n "__fish_lbctl_using_subcommand completions" -s h -l help -d 'Print help'
complete -c lbctl -n "__fish_lbctl_using_subcommand help; and not __fish_seen_subcommand_from up scale ps logs down probe session-test proxy export completions help" -f -a "up" -d 'Start the lab: replicas behind a load balancer, until ^C stops everything'
complete -c lbctl -n "__fish_lbctl_using_subcommand help; and not __fish_seen_subcommand_from up scale ps logs down probe session-test proxy export completions help" -f -a "scale" -d 'Change the number of replicas while the lab runs'
complete -c lbctl -n "__fish_lbctl_using_subcommand help; and not __fish_seen_subcommand_from up scale ps logs down probe session-test proxy export completions help" -f -a "ps" -d 'Show what runs where'
complete -c lbctl -n "__fish_lbctl_using_subcommand help; and not __fish_seen_subcommand_from up scale ps logs down probe session-test proxy export completions help" -f -a "logs" -d 'Show the requests that the lab answered'
complete -c lbctl -n "__fish_lbctl_using_subcommand help; and not __fish_seen_subcommand_from up scale ps logs down probe session-test proxy export completions help" -f -a "down" -d 'Stop the lab'
complete -c lbctl -n "__fish_lbctl_using_subcommand help; and not __fish_seen_subcommand_from up scale ps logs down probe session-test proxy export completions help" -f -a "probe" -d 'Send requests to any HTTP load balancer and prove how it balances'
complete -c lbctl -n "__fish_lbctl_using_subcommand help; and not __fish_seen_subcommand_from up scale ps logs down probe session-test proxy export completions help" -f -a "session-test" -d 'Log in, reload, and show where the session is found and lost'
complete -c lbctl -n "__fish_lbctl_using_subcommand help; and not __fish_seen_subcommand_from up scale ps logs down probe session-test proxy export completions help" -f -a "proxy" -d 'Run the bundled load balancer on its own, for any upstreams or containers'
complete -c lbctl -n "__fish_lbctl_using_subcommand help; and not __fish_seen_subcommand_from up scale ps logs down probe session-test proxy export completions help" -f -a "export" -d 'Write the lab\'s files to a directory, to edit them'
complete -c lbctl -n "__fish_lbctl_using_subcommand help; and not __fish_seen_subcommand_from up scale ps logs down probe session-test proxy export completions help" -f -a "completions" -d 'Print completions for a shell'
complete -c lbctl -n "__fish_lbctl_using_subcommand help; and not __fish_seen_subcommand_from up scale ps logs down probe session-test proxy export completions help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
