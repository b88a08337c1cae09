<?php
// How many sessions live on this server, and how many of them hold a login.
declare(strict_types=1);

$sessions = array_map('file_get_contents', glob('/tmp/sess_*'));
$logged_in = preg_grep('/(^|;)user\|/', $sessions);
echo json_encode(['sessions' => count($sessions), 'logged_in' => count($logged_in)]), "\n";
