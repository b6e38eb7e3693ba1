# What a second request falls back on, and what it must not.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PgEtl::Faults;
use Test::More;

my $etl = PgEtl::Faults->new('requests');

# A cancelled run that is asked for again obeys what the new request says.
my $run = $etl->hold('load');
$etl->sql("SELECT etl_cancel($run)");
$etl->release;
$etl->wait_for_no_workers;
is($etl->seed(publish => "'manual'", workers => 1, chunk_rows => 60), $run, 'asked for again, the run is the same');
$etl->wait_for_run($run, 'loaded');
is($etl->state($run), 'loaded', 'and waits for etl_publish, as the new request says');
is($etl->sql("SELECT workers FROM etl_runs WHERE run_id = $run"), 1, 'with the workers of the new request');
$etl->sql("SELECT etl_publish($run)");
ok($etl->wait_for_run($run, 'published'), 'and is published then');
$etl->same_mart('after etl_publish');

# Prices that have become stale since a run was cancelled are not overlooked by its resumption.
$run = $etl->hold('load');
$etl->sql("SELECT etl_cancel($run)");
$etl->release;
$etl->wait_for_no_workers;
$etl->sql("UPDATE etl.portal SET state = 'stale', state_cause = 'test' WHERE portal = 'mobile'");
$etl->sql("UPDATE raw.price_state_mobile SET first_price = -1, last_price = -1");
my $next = $etl->seed(chunk_rows => 60);
isnt($next, $run, 'a run without folds is not resumed when a portal has to be folded');
ok($etl->wait_for_run($next, 'published'), 'the new run is published');
$etl->same_mart('after prices were stale');

# Errors that may pass are counted from the last request on.
$run = $etl->hold('load', workers => 1);
my $task = $etl->sql("SELECT task_no FROM etl_tasks WHERE run_id = $run AND state = 'running'");
$etl->sql("SELECT etl_cancel($run)");
$etl->release;
$etl->wait_for_no_workers;
$etl->sql("UPDATE etl.task SET attempts = 50, retries = 9 WHERE run_id = $run AND task_no = $task");
is($etl->seed, $run, 'a run with a much tried task is resumed');
is($etl->sql("SELECT max(retries) FROM etl.task WHERE run_id = $run AND state = 'waiting'") || 0, 0,
	'and its tasks have all their tries again');
ok($etl->wait_for_run($run, 'published'), 'and is published');

# A statistics task that fails does not unpublish the mart.
$etl->hold('publish');
my $last = $etl->sql('SELECT max(run_id) FROM etl_runs');
$etl->sql("UPDATE etl.task SET state = 'failed', error = 'test', sqlstate = 'XX000'
           WHERE run_id = $last AND kind = 'analyze' AND portal IS NULL");
$etl->release;
ok($etl->wait_for_run($last, 'published'), 'a run whose last statistics failed is published all the same');
like($etl->sql("SELECT error FROM etl_runs WHERE run_id = $last"), qr/^analyze: test/, 'and says what failed');
$etl->sql("SELECT etl_revert($last)");

$etl->log_is_clean('requests');
done_testing();
