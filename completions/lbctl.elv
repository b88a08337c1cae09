
use builtin;
use str;

set edit:completion:arg-completer[lbctl] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'lbctl'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'lbctl'= {
            cand --debug 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
            cand up 'Start the lab: replicas behind a load balancer, until ^C stops everything'
            cand scale 'Change the number of replicas while the lab runs'
            cand ps 'Show what runs where'
            cand logs 'Show the requests that the lab answered'
            cand down 'Stop the lab'
            cand probe 'Send requests to any HTTP load balancer and prove how it balances'
            cand session-test 'Log in, reload, and show where the session is found and lost'
            cand proxy 'Run the bundled load balancer on its own, for any upstreams or containers'
            cand export 'Write the lab''s files to a directory, to edit them'
            cand completions 'Print completions for a shell'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'lbctl;up'= {
            cand --web-static 'Replicas of web_static'
            cand --web-dynamic 'Replicas of web_dynamic'
            cand --scale 'Replicas of any service of the compose file'
            cand --engine 'What runs the replicas'
            cand --proxy 'What balances [default: bundled; with --engine compose, traefik]'
            cand --sticky 'Keep each client on its replica, by a cookie'
            cand --strategy 'How the next replica is picked'
            cand --port 'The port, taken at its word; 0 takes any free one [default: the lab''s (80), else 8080, else any free one]'
            cand --bind 'The address to listen on [default: loopback, 127.0.0.1 and ::1]'
            cand -f 'Another compose file than the built-in lab''s'
            cand --file 'Another compose file than the built-in lab''s'
            cand --wait 'How long replicas may take to answer, in seconds since the last one got on (with --engine compose)'
            cand -p 'The lab''s name; several can run side by side'
            cand --project 'The lab''s name; several can run side by side'
            cand --format 'How data is printed'
            cand -d 'Return once every replica answers; the lab goes on in the background'
            cand --detach 'Return once every replica answers; the lab goes on in the background'
            cand --debug 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'lbctl;scale'= {
            cand --web-static 'Replicas of web_static'
            cand --web-dynamic 'Replicas of web_dynamic'
            cand -p 'The lab''s name; several can run side by side'
            cand --project 'The lab''s name; several can run side by side'
            cand --format 'How data is printed'
            cand --debug 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'lbctl;ps'= {
            cand -p 'The lab''s name; several can run side by side'
            cand --project 'The lab''s name; several can run side by side'
            cand --format 'How data is printed'
            cand --debug 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'lbctl;logs'= {
            cand -p 'The lab''s name; several can run side by side'
            cand --project 'The lab''s name; several can run side by side'
            cand --format 'How data is printed'
            cand -f 'Go on until ^C'
            cand --follow 'Go on until ^C'
            cand --debug 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'lbctl;down'= {
            cand -p 'The lab''s name; several can run side by side'
            cand --project 'The lab''s name; several can run side by side'
            cand --debug 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'lbctl;probe'= {
            cand --connect 'Connect here; URL, Host header, SNI and cookies stay the target''s'
            cand -p 'The running lab to use [default: the one that routes the host; among several, $LBCTL_PROJECT]'
            cand --project 'The running lab to use [default: the one that routes the host; among several, $LBCTL_PROJECT]'
            cand --timeout 'How long a request may take, in seconds'
            cand --rate 'Requests a second, at most'
            cand -H 'A header for every request; the value may be env:NAME or file:PATH'
            cand --header 'A header for every request; the value may be env:NAME or file:PATH'
            cand --identity 'How an instance says who it is: header:NAME, header:NAME~PATTERN, json:/POINTER or regex:PATTERN [default: found out]'
            cand --login 'The login: ''POST /login user=alice''; a value may be env:NAME or file:PATH'
            cand --check 'The request that shows the session: ''GET /session'''
            cand --logged-in 'How the check shows a login: json:/POINTER=VALUE, regex:PATTERN or status:CODE'
            cand --addresses 'Which addresses of the target''s name are asked, where DNS knows several'
            cand --path 'The path to ask for [default: the target''s]'
            cand -n 'Requests in each series; with -c, in the one without a cookie jar alone [default: enough for the verdict]'
            cand --requests 'Requests in each series; with -c, in the one without a cookie jar alone [default: enough for the verdict]'
            cand -c 'Requests under way at once, in the series without a cookie jar'
            cand --concurrency 'Requests under way at once, in the series without a cookie jar'
            cand --connection 'Whether connections are kept from one request to the next [default: fresh; those under way at once with -c, reused]'
            cand --save 'Keep what was seen, to judge it again or to show it; `-` is standard output'
            cand --replay 'Judge what --save kept, and send nothing; `-` is standard input'
            cand --alpha 'The chance of a false verdict that is accepted: a smaller one takes more requests'
            cand --expect 'Exit with 1 if the verdict contradicts this, with 4 if it leaves it open; repeat it for more'
            cand --experiments 'The experiments to make; `list` shows them [default: chosen by what earlier experiments show]'
            cand --from 'Addresses of this machine to send from [default: for a target on loopback, any of 127.0.0.0/8]'
            cand --paths 'Paths to vary [default: query strings, then paths below the target''s]'
            cand --vary-header 'A header whose value may decide who answers'
            cand --slow-path 'A path that takes its time, to keep instances busy: ''/api/?delay=2000'' [default: found out in a lab]'
            cand --format 'How data is printed'
            cand --no-lab 'Do not look for a running lab that routes the host'
            cand -k 'Do not verify the server''s certificate'
            cand --insecure 'Do not verify the server''s certificate'
            cand --verbose 'Show the figures behind the verdict as well: tests, probabilities, sizes of samples, response times'
            cand --strict 'The algorithm that is expected must be the only one that fits'
            cand --debug 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'lbctl;session-test'= {
            cand --connect 'Connect here; URL, Host header, SNI and cookies stay the target''s'
            cand -p 'The running lab to use [default: the one that routes the host; among several, $LBCTL_PROJECT]'
            cand --project 'The running lab to use [default: the one that routes the host; among several, $LBCTL_PROJECT]'
            cand --timeout 'How long a request may take, in seconds'
            cand --rate 'Requests a second, at most'
            cand -H 'A header for every request; the value may be env:NAME or file:PATH'
            cand --header 'A header for every request; the value may be env:NAME or file:PATH'
            cand --identity 'How an instance says who it is: header:NAME, header:NAME~PATTERN, json:/POINTER or regex:PATTERN [default: found out]'
            cand --login 'The login: ''POST /login user=alice''; a value may be env:NAME or file:PATH'
            cand --check 'The request that shows the session: ''GET /session'''
            cand --logged-in 'How the check shows a login: json:/POINTER=VALUE, regex:PATTERN or status:CODE'
            cand --expect 'Exit with 1 unless the session is lost, or kept [default: what the lab''s configuration says]'
            cand -n 'Reloads after the login [default: 10, or as many as it takes to be sure]'
            cand --reloads 'Reloads after the login [default: 10, or as many as it takes to be sure]'
            cand --format 'How data is printed'
            cand --no-lab 'Do not look for a running lab that routes the host'
            cand -k 'Do not verify the server''s certificate'
            cand --insecure 'Do not verify the server''s certificate'
            cand --fresh 'Start a lab for this test alone, even if one is running'
            cand --sticky 'Keep clients on their replica by a cookie, in the lab that is started for this test'
            cand --debug 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'lbctl;proxy'= {
            cand -u 'A server to forward to; repeat it for more'
            cand --upstream 'A server to forward to; repeat it for more'
            cand -p 'Only to the containers of this compose project'
            cand --project 'Only to the containers of this compose project'
            cand --rule 'Which requests to forward, in Traefik''s rule syntax'
            cand --strategy 'How the next upstream is picked'
            cand --port 'The port; 0 takes any free one'
            cand --bind 'The address to listen on [default: loopback, 127.0.0.1 and ::1]'
            cand --threads 'Threads that forward [default: one per processor]'
            cand --docker 'Forward to Docker''s containers, as their labels for Traefik say'
            cand --exposed-by-default 'Also to containers that do not say traefik.enable'
            cand --sticky 'Keep each client on its upstream, by a cookie'
            cand -q 'Do not print a line per request'
            cand --quiet 'Do not print a line per request'
            cand --debug 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'lbctl;export'= {
            cand --debug 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'lbctl;completions'= {
            cand --debug 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'lbctl;help'= {
            cand up 'Start the lab: replicas behind a load balancer, until ^C stops everything'
            cand scale 'Change the number of replicas while the lab runs'
            cand ps 'Show what runs where'
            cand logs 'Show the requests that the lab answered'
            cand down 'Stop the lab'
            cand probe 'Send requests to any HTTP load balancer and prove how it balances'
            cand session-test 'Log in, reload, and show where the session is found and lost'
            cand proxy 'Run the bundled load balancer on its own, for any upstreams or containers'
            cand export 'Write the lab''s files to a directory, to edit them'
            cand completions 'Print completions for a shell'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'lbctl;help;up'= {
        }
        &'lbctl;help;scale'= {
        }
        &'lbctl;help;ps'= {
        }
        &'lbctl;help;logs'= {
        }
        &'lbctl;help;down'= {
        }
        &'lbctl;help;probe'= {
        }
        &'lbctl;help;session-test'= {
        }
        &'lbctl;help;proxy'= {
        }
        &'lbctl;help;export'= {
        }
        &'lbctl;help;completions'= {
        }
        &'lbctl;help;help'= {
        }
    ]
    $completions[$command]
}
