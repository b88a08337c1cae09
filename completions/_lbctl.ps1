
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'lbctl' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'lbctl'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'lbctl' {
            [CompletionResult]::new('--debug', '--debug', [CompletionResultType]::ParameterName, 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('up', 'up', [CompletionResultType]::ParameterValue, 'Start the lab: replicas behind a load balancer, until ^C stops everything')
            [CompletionResult]::new('scale', 'scale', [CompletionResultType]::ParameterValue, 'Change the number of replicas while the lab runs')
            [CompletionResult]::new('ps', 'ps', [CompletionResultType]::ParameterValue, 'Show what runs where')
            [CompletionResult]::new('logs', 'logs', [CompletionResultType]::ParameterValue, 'Show the requests that the lab answered')
            [CompletionResult]::new('down', 'down', [CompletionResultType]::ParameterValue, 'Stop the lab')
            [CompletionResult]::new('probe', 'probe', [CompletionResultType]::ParameterValue, 'Send requests to any HTTP load balancer and prove how it balances')
            [CompletionResult]::new('session-test', 'session-test', [CompletionResultType]::ParameterValue, 'Log in, reload, and show where the session is found and lost')
            [CompletionResult]::new('proxy', 'proxy', [CompletionResultType]::ParameterValue, 'Run the bundled load balancer on its own, for any upstreams or containers')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Write the lab''s files to a directory, to edit them')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print completions for a shell')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'lbctl;up' {
            [CompletionResult]::new('--web-static', '--web-static', [CompletionResultType]::ParameterName, 'Replicas of web_static')
            [CompletionResult]::new('--web-dynamic', '--web-dynamic', [CompletionResultType]::ParameterName, 'Replicas of web_dynamic')
            [CompletionResult]::new('--scale', '--scale', [CompletionResultType]::ParameterName, 'Replicas of any service of the compose file')
            [CompletionResult]::new('--engine', '--engine', [CompletionResultType]::ParameterName, 'What runs the replicas')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'What balances [default: bundled; with --engine compose, traefik]')
            [CompletionResult]::new('--sticky', '--sticky', [CompletionResultType]::ParameterName, 'Keep each client on its replica, by a cookie')
            [CompletionResult]::new('--strategy', '--strategy', [CompletionResultType]::ParameterName, 'How the next replica is picked')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'The port, taken at its word; 0 takes any free one [default: the lab''s (80), else 8080, else any free one]')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'The address to listen on [default: loopback, 127.0.0.1 and ::1]')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Another compose file than the built-in lab''s')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Another compose file than the built-in lab''s')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long replicas may take to answer, in seconds since the last one got on (with --engine compose)')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The lab''s name; several can run side by side')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The lab''s name; several can run side by side')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is printed')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Return once every replica answers; the lab goes on in the background')
            [CompletionResult]::new('--detach', '--detach', [CompletionResultType]::ParameterName, 'Return once every replica answers; the lab goes on in the background')
            [CompletionResult]::new('--debug', '--debug', [CompletionResultType]::ParameterName, 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lbctl;scale' {
            [CompletionResult]::new('--web-static', '--web-static', [CompletionResultType]::ParameterName, 'Replicas of web_static')
            [CompletionResult]::new('--web-dynamic', '--web-dynamic', [CompletionResultType]::ParameterName, 'Replicas of web_dynamic')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The lab''s name; several can run side by side')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The lab''s name; several can run side by side')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is printed')
            [CompletionResult]::new('--debug', '--debug', [CompletionResultType]::ParameterName, 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lbctl;ps' {
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The lab''s name; several can run side by side')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The lab''s name; several can run side by side')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is printed')
            [CompletionResult]::new('--debug', '--debug', [CompletionResultType]::ParameterName, 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lbctl;logs' {
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The lab''s name; several can run side by side')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The lab''s name; several can run side by side')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is printed')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Go on until ^C')
            [CompletionResult]::new('--follow', '--follow', [CompletionResultType]::ParameterName, 'Go on until ^C')
            [CompletionResult]::new('--debug', '--debug', [CompletionResultType]::ParameterName, 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lbctl;down' {
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The lab''s name; several can run side by side')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The lab''s name; several can run side by side')
            [CompletionResult]::new('--debug', '--debug', [CompletionResultType]::ParameterName, 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'lbctl;probe' {
            [CompletionResult]::new('--connect', '--connect', [CompletionResultType]::ParameterName, 'Connect here; URL, Host header, SNI and cookies stay the target''s')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The running lab to use [default: the one that routes the host; among several, $LBCTL_PROJECT]')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The running lab to use [default: the one that routes the host; among several, $LBCTL_PROJECT]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a request may take, in seconds')
            [CompletionResult]::new('--rate', '--rate', [CompletionResultType]::ParameterName, 'Requests a second, at most')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'A header for every request; the value may be env:NAME or file:PATH')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'A header for every request; the value may be env:NAME or file:PATH')
            [CompletionResult]::new('--identity', '--identity', [CompletionResultType]::ParameterName, 'How an instance says who it is: header:NAME, header:NAME~PATTERN, json:/POINTER or regex:PATTERN [default: found out]')
            [CompletionResult]::new('--login', '--login', [CompletionResultType]::ParameterName, 'The login: ''POST /login user=alice''; a value may be env:NAME or file:PATH')
            [CompletionResult]::new('--check', '--check', [CompletionResultType]::ParameterName, 'The request that shows the session: ''GET /session''')
            [CompletionResult]::new('--logged-in', '--logged-in', [CompletionResultType]::ParameterName, 'How the check shows a login: json:/POINTER=VALUE, regex:PATTERN or status:CODE')
            [CompletionResult]::new('--addresses', '--addresses', [CompletionResultType]::ParameterName, 'Which addresses of the target''s name are asked, where DNS knows several')
            [CompletionResult]::new('--path', '--path', [CompletionResultType]::ParameterName, 'The path to ask for [default: the target''s]')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Requests in each series; with -c, in the one without a cookie jar alone [default: enough for the verdict]')
            [CompletionResult]::new('--requests', '--requests', [CompletionResultType]::ParameterName, 'Requests in each series; with -c, in the one without a cookie jar alone [default: enough for the verdict]')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Requests under way at once, in the series without a cookie jar')
            [CompletionResult]::new('--concurrency', '--concurrency', [CompletionResultType]::ParameterName, 'Requests under way at once, in the series without a cookie jar')
            [CompletionResult]::new('--connection', '--connection', [CompletionResultType]::ParameterName, 'Whether connections are kept from one request to the next [default: fresh; those under way at once with -c, reused]')
            [CompletionResult]::new('--save', '--save', [CompletionResultType]::ParameterName, 'Keep what was seen, to judge it again or to show it; `-` is standard output')
            [CompletionResult]::new('--replay', '--replay', [CompletionResultType]::ParameterName, 'Judge what --save kept, and send nothing; `-` is standard input')
            [CompletionResult]::new('--alpha', '--alpha', [CompletionResultType]::ParameterName, 'The chance of a false verdict that is accepted: a smaller one takes more requests')
            [CompletionResult]::new('--expect', '--expect', [CompletionResultType]::ParameterName, 'Exit with 1 if the verdict contradicts this, with 4 if it leaves it open; repeat it for more')
            [CompletionResult]::new('--experiments', '--experiments', [CompletionResultType]::ParameterName, 'The experiments to make; `list` shows them [default: chosen by what earlier experiments show]')
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Addresses of this machine to send from [default: for a target on loopback, any of 127.0.0.0/8]')
            [CompletionResult]::new('--paths', '--paths', [CompletionResultType]::ParameterName, 'Paths to vary [default: query strings, then paths below the target''s]')
            [CompletionResult]::new('--vary-header', '--vary-header', [CompletionResultType]::ParameterName, 'A header whose value may decide who answers')
            [CompletionResult]::new('--slow-path', '--slow-path', [CompletionResultType]::ParameterName, 'A path that takes its time, to keep instances busy: ''/api/?delay=2000'' [default: found out in a lab]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is printed')
            [CompletionResult]::new('--no-lab', '--no-lab', [CompletionResultType]::ParameterName, 'Do not look for a running lab that routes the host')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Do not verify the server''s certificate')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Do not verify the server''s certificate')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show the figures behind the verdict as well: tests, probabilities, sizes of samples, response times')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'The algorithm that is expected must be the only one that fits')
            [CompletionResult]::new('--debug', '--debug', [CompletionResultType]::ParameterName, 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lbctl;session-test' {
            [CompletionResult]::new('--connect', '--connect', [CompletionResultType]::ParameterName, 'Connect here; URL, Host header, SNI and cookies stay the target''s')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The running lab to use [default: the one that routes the host; among several, $LBCTL_PROJECT]')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The running lab to use [default: the one that routes the host; among several, $LBCTL_PROJECT]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a request may take, in seconds')
            [CompletionResult]::new('--rate', '--rate', [CompletionResultType]::ParameterName, 'Requests a second, at most')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'A header for every request; the value may be env:NAME or file:PATH')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'A header for every request; the value may be env:NAME or file:PATH')
            [CompletionResult]::new('--identity', '--identity', [CompletionResultType]::ParameterName, 'How an instance says who it is: header:NAME, header:NAME~PATTERN, json:/POINTER or regex:PATTERN [default: found out]')
            [CompletionResult]::new('--login', '--login', [CompletionResultType]::ParameterName, 'The login: ''POST /login user=alice''; a value may be env:NAME or file:PATH')
            [CompletionResult]::new('--check', '--check', [CompletionResultType]::ParameterName, 'The request that shows the session: ''GET /session''')
            [CompletionResult]::new('--logged-in', '--logged-in', [CompletionResultType]::ParameterName, 'How the check shows a login: json:/POINTER=VALUE, regex:PATTERN or status:CODE')
            [CompletionResult]::new('--expect', '--expect', [CompletionResultType]::ParameterName, 'Exit with 1 unless the session is lost, or kept [default: what the lab''s configuration says]')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Reloads after the login [default: 10, or as many as it takes to be sure]')
            [CompletionResult]::new('--reloads', '--reloads', [CompletionResultType]::ParameterName, 'Reloads after the login [default: 10, or as many as it takes to be sure]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How data is printed')
            [CompletionResult]::new('--no-lab', '--no-lab', [CompletionResultType]::ParameterName, 'Do not look for a running lab that routes the host')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Do not verify the server''s certificate')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Do not verify the server''s certificate')
            [CompletionResult]::new('--fresh', '--fresh', [CompletionResultType]::ParameterName, 'Start a lab for this test alone, even if one is running')
            [CompletionResult]::new('--sticky', '--sticky', [CompletionResultType]::ParameterName, 'Keep clients on their replica by a cookie, in the lab that is started for this test')
            [CompletionResult]::new('--debug', '--debug', [CompletionResultType]::ParameterName, 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lbctl;proxy' {
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'A server to forward to; repeat it for more')
            [CompletionResult]::new('--upstream', '--upstream', [CompletionResultType]::ParameterName, 'A server to forward to; repeat it for more')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Only to the containers of this compose project')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Only to the containers of this compose project')
            [CompletionResult]::new('--rule', '--rule', [CompletionResultType]::ParameterName, 'Which requests to forward, in Traefik''s rule syntax')
            [CompletionResult]::new('--strategy', '--strategy', [CompletionResultType]::ParameterName, 'How the next upstream is picked')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'The port; 0 takes any free one')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'The address to listen on [default: loopback, 127.0.0.1 and ::1]')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'Threads that forward [default: one per processor]')
            [CompletionResult]::new('--docker', '--docker', [CompletionResultType]::ParameterName, 'Forward to Docker''s containers, as their labels for Traefik say')
            [CompletionResult]::new('--exposed-by-default', '--exposed-by-default', [CompletionResultType]::ParameterName, 'Also to containers that do not say traefik.enable')
            [CompletionResult]::new('--sticky', '--sticky', [CompletionResultType]::ParameterName, 'Keep each client on its upstream, by a cookie')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Do not print a line per request')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Do not print a line per request')
            [CompletionResult]::new('--debug', '--debug', [CompletionResultType]::ParameterName, 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'lbctl;export' {
            [CompletionResult]::new('--debug', '--debug', [CompletionResultType]::ParameterName, 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'lbctl;completions' {
            [CompletionResult]::new('--debug', '--debug', [CompletionResultType]::ParameterName, 'Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'lbctl;help' {
            [CompletionResult]::new('up', 'up', [CompletionResultType]::ParameterValue, 'Start the lab: replicas behind a load balancer, until ^C stops everything')
            [CompletionResult]::new('scale', 'scale', [CompletionResultType]::ParameterValue, 'Change the number of replicas while the lab runs')
            [CompletionResult]::new('ps', 'ps', [CompletionResultType]::ParameterValue, 'Show what runs where')
            [CompletionResult]::new('logs', 'logs', [CompletionResultType]::ParameterValue, 'Show the requests that the lab answered')
            [CompletionResult]::new('down', 'down', [CompletionResultType]::ParameterValue, 'Stop the lab')
            [CompletionResult]::new('probe', 'probe', [CompletionResultType]::ParameterValue, 'Send requests to any HTTP load balancer and prove how it balances')
            [CompletionResult]::new('session-test', 'session-test', [CompletionResultType]::ParameterValue, 'Log in, reload, and show where the session is found and lost')
            [CompletionResult]::new('proxy', 'proxy', [CompletionResultType]::ParameterValue, 'Run the bundled load balancer on its own, for any upstreams or containers')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Write the lab''s files to a directory, to edit them')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print completions for a shell')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'lbctl;help;up' {
            break
        }
        'lbctl;help;scale' {
            break
        }
        'lbctl;help;ps' {
            break
        }
        'lbctl;help;logs' {
            break
        }
        'lbctl;help;down' {
            break
        }
        'lbctl;help;probe' {
            break
        }
        'lbctl;help;session-test' {
            break
        }
        'lbctl;help;proxy' {
            break
        }
        'lbctl;help;export' {
            break
        }
        'lbctl;help;completions' {
            break
        }
        'lbctl;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
